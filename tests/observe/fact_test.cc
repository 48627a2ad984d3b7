// Facts are called by their type's name.
#include "observe/fact.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

namespace sim::observe {
namespace {

template <std::size_t... I>
std::set<std::string> all_names(std::index_sequence<I...>) {
  return {name(Fact{std::in_place_index<I>})...};
}

TEST_CASE("each fact has a name of its own") {
  CHECK(all_names(std::make_index_sequence<std::variant_size_v<Fact>>{}).size() == std::variant_size_v<Fact>);
  CHECK(std::string(name(HighWatermarkAdvanced{})) == "HighWatermarkAdvanced");
  CHECK(std::string(name(ProcessStopped{})) == "ProcessStopped");
}

}  // namespace
}  // namespace sim::observe
