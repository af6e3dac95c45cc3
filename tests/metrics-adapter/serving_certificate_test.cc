#include "metrics-adapter/serving_certificate.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "fake_kube.h"

namespace mcpfleet::adapter {
namespace {

using nlohmann::json;
using std::chrono::hours;

constexpr auto kDay = hours(24);

// Secrets and APIServices with resource versions, as far as the keeper needs them.
class Objects {
 public:
  Result<std::string> operator()(const FakeKube::Call& call) {
    if (call.verb == "create") return create(call);
    const auto found = objects_.find(call.path);
    if (found == objects_.end()) return fail(ErrorKind::NotFound, call.path + " not found");
    if (call.verb == "get") return found->second.dump();
    const auto patch = json::parse(call.body);
    if (patch.contains("metadata") && patch["metadata"].contains("resourceVersion") &&
        patch["metadata"]["resourceVersion"] != found->second["metadata"]["resourceVersion"])
      return fail(ErrorKind::Conflict, "the object has been modified");
    found->second.merge_patch(patch);
    found->second["metadata"]["resourceVersion"] = std::to_string(++version_);
    return found->second.dump();
  }
  json& at(const std::string& path) { return objects_[path]; }
  // Runs before the next write, as another replica would.
  std::function<void()> meanwhile;

 private:
  Result<std::string> create(const FakeKube::Call& call) {
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    auto object = json::parse(call.body);
    const auto path = call.path + "/" + object["metadata"]["name"].get<std::string>();
    if (objects_.contains(path)) return fail(ErrorKind::AlreadyExists, "it exists");
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    objects_[path] = object;
    return object.dump();
  }
  std::map<std::string, json> objects_;
  int version_ = 0;
};

const std::string kSecret = "/api/v1/namespaces/ns/secrets/tls";
const std::string kApiService = "/apis/apiregistration.k8s.io/v1/apiservices/a";

class ServingCertificateTest : public testing::Test {
 protected:
  CertificateKeeper keeper(std::string service = "svc") {
    return {kube_, clock_, {"ns", "tls", std::move(service), {"a", "b"}}};
  }
  ManualClock clock_;
  Objects objects_;
  FakeKube kube_{[this](const FakeKube::Call& call) { return objects_(call); }};
};

TEST_F(ServingCertificateTest, MakesOneThatFitsAndKeepsIt) {
  auto first = keeper();
  const auto made = first.ensure();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(why_renew(*made, "svc.ns.svc", clock_.wall()), "");
  EXPECT_EQ(objects_.at(kSecret)["type"], "kubernetes.io/tls");
  EXPECT_EQ(*first.ensure(), *made);
  EXPECT_EQ(*keeper().ensure(), *made) << "another replica, or this one restarted";
}

TEST_F(ServingCertificateTest, TwoReplicasAgree) {
  auto slow = keeper();
  auto quick = keeper();
  std::optional<ServingCertificate> of_quick;
  objects_.meanwhile = [&] { of_quick = quick.ensure().value(); };
  const auto of_slow = slow.ensure();
  ASSERT_TRUE(of_slow) << of_slow.error().message;
  EXPECT_EQ(*of_slow, *of_quick);
}

TEST_F(ServingCertificateTest, RenewsThirtyDaysBeforeTheEnd) {
  const auto old = keeper().ensure().value();
  clock_.advance(kDay * 334);
  EXPECT_EQ(*keeper().ensure(), old);
  clock_.advance(kDay * 2);
  const auto renewed = keeper().ensure().value();
  EXPECT_FALSE(renewed == old);
  EXPECT_NE(renewed.ca_pem.find(old.ca_pem.substr(30, 200)), std::string::npos)
      << "replicas that still show the old certificate are trusted meanwhile";
  EXPECT_TRUE(http::check_key_pair(old.pair, renewed.ca_pem, clock_.wall()));
  EXPECT_TRUE(http::check_key_pair(renewed.pair, renewed.ca_pem, clock_.wall()));
  clock_.advance(kDay * 336);
  const auto third = keeper().ensure().value();
  EXPECT_LT(third.ca_pem.size(), 2 * renewed.ca_pem.size()) << "authorities do not pile up";
}

TEST_F(ServingCertificateTest, ReplacesWhatDoesNotFit) {
  keeper("other").ensure().value();
  EXPECT_EQ(why_renew(keeper().ensure().value(), "svc.ns.svc", clock_.wall()), "");
  objects_.at(kSecret)["data"]["tls.key"] = to_base64("garbage");
  EXPECT_EQ(why_renew(keeper().ensure().value(), "svc.ns.svc", clock_.wall()), "");
  objects_.at(kSecret)["data"]["tls.crt"] = "%%%";
  EXPECT_EQ(why_renew(keeper().ensure().value(), "svc.ns.svc", clock_.wall()), "");
  objects_.at(kSecret).erase("data");
  EXPECT_EQ(why_renew(keeper().ensure().value(), "svc.ns.svc", clock_.wall()), "");
}

TEST_F(ServingCertificateTest, LeavesSomebodyElsesSecretAlone) {
  const auto theirs = keeper().ensure().value();
  objects_.at(kSecret)["metadata"].erase("labels");
  const auto before = objects_.at(kSecret);
  clock_.advance(kDay * 350);
  EXPECT_EQ(*keeper().ensure(), theirs) << "good until its end";
  clock_.advance(kDay * 50);
  const auto expired = keeper().ensure();
  ASSERT_FALSE(expired);
  EXPECT_NE(expired.error().message.find("was made by somebody else and cannot be used"),
            std::string::npos);
  EXPECT_EQ(objects_.at(kSecret), before);
}

TEST_F(ServingCertificateTest, PutsTheBundleWhereItDiffers) {
  objects_.at(kApiService) = {{"metadata", {{"resourceVersion", "1"}}}, {"spec", {{"x", 1}}}};
  auto one = keeper();
  const auto certificate = one.ensure().value();
  one.update_bundles(certificate.ca_pem);
  one.update_bundles(certificate.ca_pem);
  EXPECT_EQ(objects_.at(kApiService)["spec"],
            (json{{"x", 1}, {"caBundle", to_base64(certificate.ca_pem)}}));
  EXPECT_EQ(kube_.count("merge_patch", "apiservices/a"), 1u);
  EXPECT_EQ(kube_.count("merge_patch", "apiservices/b"), 0u) << "it does not exist";
  objects_.at(kApiService)["spec"]["caBundle"] = "AAAA";
  one.update_bundles(certificate.ca_pem);
  EXPECT_EQ(objects_.at(kApiService)["spec"]["caBundle"], to_base64(certificate.ca_pem));
}

}  // namespace
}  // namespace mcpfleet::adapter
