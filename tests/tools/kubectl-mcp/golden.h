// Texts that people read, held against files: a change of one shows in review.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tools/kubectl-mcp/text.h"

namespace mcpfleet::kubectl {

// `got` is tests/tools/kubectl-mcp/golden/NAME; MCPFLEET_UPDATE_GOLDEN=1 writes the file instead.
inline void expect_golden(const std::string& name, const std::string& got) {
  const std::string file = MCPFLEET_GOLDEN "/" + name;
  if (const char* update = std::getenv("MCPFLEET_UPDATE_GOLDEN"); update != nullptr) {
    std::ofstream(file) << got;
  }
  std::stringstream want;
  want << std::ifstream(file).rdbuf();
  EXPECT_EQ(want.str(), got) << "MCPFLEET_UPDATE_GOLDEN=1 writes " << file << "; then look at it";
}

inline void expect_no_line_over(std::size_t most, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool command = line.find("kubectl ") != std::string::npos;
    EXPECT_TRUE(command || columns(line) <= most) << columns(line) << " columns: " << line;
  }
}

}  // namespace mcpfleet::kubectl
