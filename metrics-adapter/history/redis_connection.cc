#include "metrics-adapter/history/redis_connection.h"

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <cerrno>

#include "base/time_text.h"

namespace mcpfleet::adapter {
namespace {

struct Free {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, Free>;

timeval to_timeval(Duration duration) {
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return {micro / 1'000'000, micro % 1'000'000};
}

std::string text_of(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
  return reply.str == nullptr ? std::string() : std::string(reply.str, reply.len);
}

RedisReply read_reply(const redisReply& reply) {
  RedisReply read;
  read.refused = reply.type == REDIS_REPLY_ERROR;
  if (reply.type == REDIS_REPLY_ARRAY) {
    for (std::size_t i = 0; i < reply.elements; ++i)
      read.texts.push_back(text_of(*reply.element[i]));
  } else if (reply.type != REDIS_REPLY_NIL) {
    read.texts.push_back(text_of(reply));
  }
  return read;
}

Result<void> append(redisContext* context, const RedisCommand& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const auto& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  const auto done =
      redisAppendCommandArgv(context, static_cast<int>(words.size()), words.data(), sizes.data());
  if (done != REDIS_OK) return fail(ErrorKind::Internal, "no memory for a command to Redis");
  return {};
}

std::string place_of(const RedisAddress& address) {
  return "Redis at " + address.host + ":" + std::to_string(address.port);
}

}  // namespace

void RedisConnection::Close::operator()(redisContext* context) const { redisFree(context); }

Result<std::unique_ptr<RedisConnection>> RedisConnection::open(const RedisAddress& address,
                                                               Duration timeout) {
  auto* context = redisConnectWithTimeout(address.host.c_str(), address.port, to_timeval(timeout));
  if (context == nullptr) return fail(ErrorKind::Internal, "no memory for a connection to Redis");
  auto connection =
      std::unique_ptr<RedisConnection>(new RedisConnection(place_of(address), context, timeout));
  if (context->err != 0) return fail(connection->broken());
  if (redisSetTimeout(context, to_timeval(timeout)) != REDIS_OK) return fail(connection->broken());
  if (auto ready = connection->prepare(address); !ready) return fail(ready.error());
  return connection;
}

Result<void> RedisConnection::prepare(const RedisAddress& address) {
  std::vector<RedisCommand> commands;
  if (!address.password.empty()) {
    commands.push_back({"AUTH"});
    if (!address.user.empty()) commands.back().push_back(address.user);
    commands.back().push_back(address.password);
  }
  if (address.database != 0) commands.push_back({"SELECT", std::to_string(address.database)});
  auto replies = run(commands);
  if (!replies) return fail(replies.error());
  for (std::size_t i = 0; i < replies->size(); ++i) {
    if (!(*replies)[i].refused) continue;
    const bool identity = commands[i].front() == "AUTH";
    return fail(identity ? ErrorKind::Unauthorized : ErrorKind::Invalid,
                place_ + " refused " + commands[i].front() + ": " + (*replies)[i].texts.front());
  }
  return {};
}

Result<std::vector<RedisReply>> RedisConnection::run(std::span<const RedisCommand> commands) {
  for (const auto& command : commands)
    if (auto appended = append(context_.get(), command); !appended) return fail(appended.error());
  std::vector<RedisReply> replies;
  replies.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    void* raw = nullptr;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK) return fail(broken());
    const Reply reply(static_cast<redisReply*>(raw));
    replies.push_back(read_reply(*reply));
  }
  return replies;
}

Error RedisConnection::broken() const {
  const bool late = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
  if (late)
    return {ErrorKind::Timeout, place_ + " did not answer within " + format_duration(timeout_)};
  const auto kind =
      context_->err == REDIS_ERR_PROTOCOL ? ErrorKind::Malformed : ErrorKind::Unavailable;
  return {kind, place_ + ": " + context_->errstr};
}

}  // namespace mcpfleet::adapter
