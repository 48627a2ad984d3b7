// Facts are called by their type's name.
#include "observe/fact.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <variant>

namespace sim::observe {
namespace {

template <std::size_t... I>
std::set<std::string> all_names(std::index_sequence<I...>) {
  return {name(Fact{std::variant_alternative_t<I, AnyFact>{}})...};
}

TEST_CASE("each fact has a name of its own") {
  constexpr std::size_t facts = std::variant_size_v<AnyFact>;
  CHECK(all_names(std::make_index_sequence<facts>{}).size() == facts);
  CHECK(std::string(name(HighWatermarkAdvanced{})) == "HighWatermarkAdvanced");
  CHECK(std::string(name(ProcessStopped{})) == "ProcessStopped");
}

}  // namespace
}  // namespace sim::observe
