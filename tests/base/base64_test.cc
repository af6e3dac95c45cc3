#include "base/base64.h"

#include <gtest/gtest.h>

namespace mcpfleet {
namespace {

TEST(Base64Test, WritesAndReadsTheExamplesOfRfc4648) {
  const struct {
    const char* bytes;
    const char* text;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};
  for (const auto& test : cases) {
    EXPECT_EQ(to_base64(test.bytes), test.text);
    EXPECT_EQ(from_base64(test.text).value(), test.bytes);
  }
}

TEST(Base64Test, EveryByteComesBackInBothForms) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t size : {256U, 255U, 254U}) {
    const auto part = bytes.substr(0, size);
    EXPECT_EQ(from_base64(to_base64(part)).value(), part);
    EXPECT_EQ(from_base64url(to_base64url(part)).value(), part);
    EXPECT_EQ(to_base64url(part).find_first_of("+/="), std::string::npos);
  }
}

TEST(Base64Test, RefusesEveryOtherSpelling) {
  for (const char* text :
       {"Zg", "Zg=", "Zh==", "Zg==\n", "Z g=", "====", "Zm9v=", "Zm-v", "Zm9\xff"})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const char* text : {"A", "Zg==", "Zh", "Zm+v", " Zg"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

}  // namespace
}  // namespace mcpfleet
