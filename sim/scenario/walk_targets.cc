#include <string>
#include <utility>

#include "scenario/targets.h"
#include "scenario/walk.h"

// Whom faults hit: whether it is written rightly. Whether they exist, the whole scenario tells.
namespace sim::scenario {

bool Walk::targets(Value& value, const Key& key, const std::string& where) {
  if (value.is_list()) {
    if (value.items.empty()) return not_a(value, key, where, "is empty: the fault would hit nobody");
    bool all_right = true;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      Value& item = value.items[i];
      const std::string here = where + "[" + std::to_string(i) + "]";
      if (item.is_scalar()) {
        all_right = targets(item, key, here) && all_right;
      } else {
        all_right = not_a(item, key, here) && all_right;
      }
    }
    return all_right;
  }
  if (!value.is_scalar()) return not_a(value, key, where);
  ReadTarget read = read_target(value.text);
  if (!read.target) {
    report_.error(value.place, where + ": " + describe(value) + " " + read.problem, std::move(read.hint));
    return false;
  }
  value.text = print_target(*read.target);
  value.quoted = false;
  return true;
}

bool Walk::target_groups(Value& value, const Key& key, const std::string& where) {
  if (!value.is_list()) return not_a(value, key, where);
  if (value.items.size() < 2) return not_a(value, key, where, "has fewer than two of them: nobody would be cut off");
  bool all_right = true;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    Value& group = value.items[i];
    const std::string here = where + "[" + std::to_string(i) + "]";
    const Key row{.path = key.path, .type = KeyType::targets};
    all_right = (group.kind == Value::Kind::null ? not_a(group, row, here) : targets(group, row, here)) && all_right;
  }
  return all_right;
}

}  // namespace sim::scenario
