#include "app/first_difference.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/human.h"
#include "base/printable.h"

namespace sim::app {
namespace {

using Json = nlohmann::ordered_json;

std::string value_text(const Json& event, const std::string& key) {
  return event.contains(key) ? event[key].dump(-1, ' ', false, Json::error_handler_t::replace) : "nothing";
}

// The first field of one of them that the other has not, or has otherwise; empty: all are alike.
std::string differing_field(const Json& first, const Json& second) {
  for (const auto& [key, value] : first.items()) {
    if (!second.contains(key) || second[key] != value) return key;
  }
  for (const auto& [key, value] : second.items()) {
    if (!first.contains(key)) return key;
  }
  return "";
}

std::string which_event(const Json& event) {
  std::string text = event.value("ev", "an event");
  if (event.contains("node") && event["node"].is_string()) text += " of " + event.value("node", "");
  if (event.contains("t") && event["t"].is_number_integer())
    text += " at " + fixed(event["t"].get<std::int64_t>() / 1'000, 6) + " s";
  if (event.contains("seq") && event["seq"].is_number_integer())
    text += fmt::format(", event {}", event["seq"].get<std::int64_t>());
  return text;
}

}  // namespace

std::string difference_text(std::string_view first_side, const std::string& first,
                            std::string_view second_side, const std::string& second,
                            const std::vector<std::string>& before) {
  const std::size_t width = std::max(first_side.size(), second_side.size());
  const Json a = Json::parse(first, nullptr, false), b = Json::parse(second, nullptr, false);
  std::string text = "the first event that differs: ";
  if (a.is_object() && b.is_object()) {
    const std::string field = differing_field(a, b);
    text += printable(which_event(a)) + "\n";
    if (!field.empty())
      text += printable(fmt::format("  its {} is {} ({}) and {} ({})\n", field, value_text(a, field),
                                    first_side, value_text(b, field), second_side));
  } else if (a.is_object() || b.is_object()) {
    text += printable(which_event(a.is_object() ? a : b)) +
            fmt::format("\n  only {} has it\n", a.is_object() ? first_side : second_side);
  } else {
    text += "its line is no JSON\n";
  }
  if (!before.empty())
    text += fmt::format("the {} before it, the same on both sides\n",
                        before.size() == 1 ? "one" : human_count(before.size()));
  for (const std::string& line : before) text += "  " + printable(line) + "\n";
  text += "and then\n";
  for (const auto& [side, line] : {std::pair(first_side, &first), std::pair(second_side, &second)})
    text += fmt::format("  {:<{}}  {}\n", side, width, line->empty() ? "(nothing more)" : printable(*line));
  return text;
}

}  // namespace sim::app
