// Our answers to cases of hpa_cases.json: reads a list of cases with `base` and `syncs` from its
// standard input, and prints a list of lists of answers, as hpa_case.h has them.
#include <iostream>
#include <iterator>
#include <string>

#include "hpa_case.h"

int main() {
  using mcpfleet::fleet::Json;
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto cases = mcpfleet::fleet::parse_json(text, 64 << 20);
  if (!cases) {
    std::cerr << "hpa_cases: " << cases.error().message << "\n";
    return 1;
  }
  Json answers = Json::array();
  for (const Json& hpa_case : *cases) {
    auto answer = mcpfleet::scaling::play(hpa_case);
    if (!answer) {
      std::cerr << "hpa_cases: " << answer.error().message << "\n";
      return 1;
    }
    answers.push_back(std::move(*answer));
  }
  std::cout << mcpfleet::fleet::to_text(answers) << "\n";
  return std::cout.good() ? 0 : 1;
}
