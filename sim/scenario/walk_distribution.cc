#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "scenario/distribution.h"
#include "scenario/suggest.h"
#include "scenario/walk.h"

// The values that say how something varies: distributions and the choice of keys.
namespace sim::scenario {

bool Walk::small_map(Value& value, const std::vector<std::string_view>& allowed, bool one_only,
                     const std::string& where) {
  std::string all;
  for (const std::string_view word : allowed) all += (all.empty() ? "" : ", ") + std::string(word);
  for (const Entry& entry : value.entries) {
    if (std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end()) continue;
    std::string hint = did_you_mean(entry.key, allowed);
    report_.error(entry.key_place, "unknown key \"" + entry.key + "\" in " + where,
                  hint.empty() ? "it knows " + all : hint);
    return false;
  }
  if (one_only && value.entries.size() != 1) {
    report_.error(value.place, where + " needs exactly one of " + all);
    return false;
  }
  return true;
}

bool Walk::small_number(Value& value, std::string_view key, UnitKind unit, std::int64_t least,
                        std::int64_t most, const std::string& where) {
  Value* found = value.find(key);
  if (found == nullptr) {
    report_.error(value.place, "\"" + std::string(key) + "\" is missing in " + where);
    return false;
  }
  const Key row{.path = key, .type = KeyType::scalar, .unit = unit, .least = least, .most = most};
  return found->kind == Value::Kind::null ? not_a(*found, row, where + "." + std::string(key))
                                          : number(*found, row, where + "." + std::string(key));
}

bool Walk::distribution(Value& value, const Key& key, const std::string& where) {
  if (value.is_scalar()) {
    const Key row{
        .path = key.path, .type = KeyType::scalar, .unit = key.unit, .least = key.least, .most = key.most};
    return number(value, row, where);
  }
  if (!value.is_map()) return not_a(value, key, where);
  if (value.find("p50") != nullptr || value.find("p99") != nullptr) {
    if (!small_map(value, {"p50", "p99"}, false, where)) return false;
    const bool p50 = small_number(value, "p50", key.unit, 1, key.most, where);
    const bool p99 = small_number(value, "p99", key.unit, 1, key.most, where);
    if (!p50 || !p99) return false;
    if (*read_scalar(value.at("p99").text, key.unit).value >=
        *read_scalar(value.at("p50").text, key.unit).value)
      return true;
    report_.error(value.at("p99").place, where + " has a p99 below its p50");
    return false;
  }
  std::vector<std::string_view> kinds{"p50", "p99", "constant", "uniform", "values"};
  if (key.unit == UnitKind::duration) kinds.push_back("exponential");
  if (!small_map(value, kinds, true, where)) return false;
  Entry& entry = value.entries.front();
  const std::string here = where + "." + entry.key;
  if (entry.key == "values") return values_file(entry.value, key, here);
  if (entry.key == "constant") {
    if (!small_number(value, "constant", key.unit, key.least, key.most, where)) return false;
    Value constant = std::move(entry.value);
    value = std::move(constant);  // {constant: 2ms} and 2ms are one
    return true;
  }
  if (entry.key == "exponential") return small_number(value, "exponential", key.unit, 1, key.most, where);
  if (!entry.value.is_map()) {
    report_.error(entry.value.place,
                  here + " must be a map such as {min: .., max: ..}, not " + describe(entry.value));
    return false;
  }
  if (!small_map(entry.value, {"min", "max"}, false, here)) return false;
  const bool min = small_number(entry.value, "min", key.unit, key.least, key.most, here);
  const bool max = small_number(entry.value, "max", key.unit, key.least, key.most, here);
  if (!min || !max) return false;
  if (*read_scalar(entry.value.at("max").text, key.unit).value >=
      *read_scalar(entry.value.at("min").text, key.unit).value)
    return true;
  report_.error(entry.value.at("max").place, here + " has a max below its min");
  return false;
}

bool Walk::matrix(Value& value, const Key& key, const std::string& where) {
  if (!value.is_map()) return not_a(value, key, where);
  bool ok = true;
  for (Entry& row : value.entries) {
    const std::string here = where + "." + row.key;
    if (!row.value.is_map()) {
      report_.error(row.value.kind == Value::Kind::null ? row.key_place : row.value.place,
                    here + " must be a map from racks to round-trip times, not " + describe(row.value));
      ok = false;
      continue;
    }
    for (Entry& cell : row.value.entries) {
      if (cell.value.kind == Value::Kind::null) cell.value.place = cell.key_place;
      ok &= distribution(cell.value, key, here + "." + cell.key);
    }
  }
  return ok;
}

bool Walk::values_file(Value& value, const Key& key, const std::string& where) {
  const Key row{.path = key.path, .type = KeyType::path};
  if (!path(value, row, where)) return false;
  return !read_values_file(value.text, key.unit, value.place, where, report_).empty();
}

bool Walk::key_choice(Value& value, const Key& key, const std::string& where) {
  constexpr std::int64_t kMostKeys = std::int64_t{1} << 31;
  if (value.is_scalar()) return value.text == "none" || not_a(value, key, where);
  if (!value.is_map()) return not_a(value, key, where);
  if (!small_map(value, {"zipf", "uniform"}, true, where)) return false;
  Entry& entry = value.entries.front();
  const std::string here = where + "." + entry.key;
  const bool zipf = entry.key == "zipf";
  if (!entry.value.is_map()) {
    report_.error(entry.value.place, here + " must be a map such as " +
                                         (zipf ? "{n: 100000, s: 1.1}" : "{n: 100000}") + ", not " +
                                         describe(entry.value));
    return false;
  }
  if (!small_map(entry.value,
                 zipf ? std::vector<std::string_view>{"n", "s"} : std::vector<std::string_view>{"n"}, false,
                 here))
    return false;
  const bool n = small_number(entry.value, "n", UnitKind::none, 1, kMostKeys, here);
  const bool s = !zipf || small_number(entry.value, "s", UnitKind::ratio, 0, 1000, here);
  return n && s;
}

}  // namespace sim::scenario
