#include <string>
#include <utility>
#include <variant>

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
  ReadTarget read = read_target(value.text, fixed_names_);
  if (!read.target) {
    report_.error(value.place, where + ": " + describe(value) + " " + read.problem, std::move(read.hint));
    return false;
  }
  value.text = print_target(*read.target);
  value.quoted = false;
  return true;
}

// Names are told apart from all other targets by not being one.
bool Walk::fixed_targets(Value& value, const Key& key, const std::string& where) {
  if (!value.is_map()) return not_a(value, key, where);
  bool all_right = true;
  for (Entry& entry : value.entries) {
    const std::string here = where + "." + entry.key;
    const bool is_taken = entry.key.starts_with("broker-") || entry.key.starts_with("controller-") ||
                          read_target(entry.key).target.has_value();
    if (!is_name(entry.key) || is_taken) {
      report_.error(entry.key_place,
                    where + ": \"" + entry.key + "\" cannot be a name" + (is_taken ? ": it is a target" : ""),
                    is_taken ? "such as victim" : "use letters, digits, '.', '_' and '-'");
      all_right = false;
      continue;
    }
    if (entry.value.kind == Value::Kind::null) entry.value.place = entry.key_place;
    ReadFixedTarget read{ReadTarget{{}, "is no target", "such as \"leader(orders-0) at 29s\""}};
    if (entry.value.is_scalar()) read = read_fixed_target(entry.value.text);
    if (!read.target.target) {
      report_.error(entry.value.place, here + ": " + describe(entry.value) + " " + read.target.problem,
                    std::move(read.target.hint));
      all_right = false;
      continue;
    }
    entry.value.text =
        print_target(*read.target.target) + " at " + print_scalar(read.at_ns, UnitKind::duration);
    entry.value.quoted = false;
  }
  return all_right;
}

bool Walk::target_groups(Value& value, const Key& key, const std::string& where) {
  if (!value.is_list()) return not_a(value, key, where);
  if (value.items.size() < 2)
    return not_a(value, key, where, "has fewer than two of them: nobody would be cut off");
  bool all_right = true;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    Value& group = value.items[i];
    const std::string here = where + "[" + std::to_string(i) + "]";
    const Key row{.path = key.path, .type = KeyType::targets};
    all_right =
        (group.kind == Value::Kind::null ? not_a(group, row, here) : targets(group, row, here)) && all_right;
  }
  return all_right;
}

bool Walk::partitions(Value& value, const Key& key, const std::string& where) {
  if (value.is_list()) {
    if (value.items.empty()) return not_a(value, key, where, "is empty");
    bool all_right = true;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      Value& item = value.items[i];
      const bool single = item.is_scalar() && item.text != "all";
      const std::string here = where + "[" + std::to_string(i) + "]";
      all_right = (single ? partitions(item, key, here) : not_a(item, key, here)) && all_right;
    }
    return all_right;
  }
  if (!value.is_scalar()) return not_a(value, key, where);
  return value.text == "all" || read_partition(value.text).has_value() ||
         not_a(value, key, where, {}, "such as orders-0");
}

bool Walk::replica_lists(Value& value, const Key& key, const std::string& where) {
  if (!value.is_map() || value.entries.empty()) return not_a(value, key, where);
  bool all_right = true;
  for (Entry& entry : value.entries) {
    const std::string here = where + "." + entry.key;
    if (!read_partition(entry.key)) {
      report_.error(entry.key_place, where + ": \"" + entry.key + "\" is no partition", "such as orders-0");
      all_right = false;
      continue;
    }
    if (entry.value.kind == Value::Kind::null) entry.value.place = entry.key_place;
    if (entry.value.is_scalar() && entry.value.text == "cancel") continue;
    if (!entry.value.is_list() || entry.value.items.empty()) {
      const std::string what = entry.value.is_list() ? "an empty one" : describe(entry.value);
      report_.error(entry.value.place, here + " must be a list of brokers, not " + what,
                    "such as [broker-2, broker-3], or cancel");
      all_right = false;
      continue;
    }
    for (Value& item : entry.value.items) {
      const bool is_number = item.is_scalar() && !item.text.empty() &&
                             item.text.find_first_not_of("0123456789") == std::string::npos;
      if (is_number) item.text.insert(0, "broker-");  // as in the files of kafka-reassign-partitions
      const ReadTarget read = item.is_scalar() ? read_target(item.text) : ReadTarget{};
      if (read.target && std::holds_alternative<fault::BrokerTarget>(*read.target)) continue;
      report_.error(item.place, here + ": " + describe(item) + " is no broker", "such as broker-2");
      all_right = false;
    }
  }
  return all_right;
}

// Brokers are their numbers, as Kafka's tools have them, or broker-2.
bool Walk::assignment(Value& value, const Key& key, const std::string& where) {
  const bool of_directories = key.last() == "directories";
  if (!value.is_list() || value.items.empty()) return not_a(value, key, where);
  bool all_right = true;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    Value& replicas = value.items[i];
    const std::string here = where + "[" + std::to_string(i) + "]";
    if (!replicas.is_list() || replicas.items.empty()) {
      report_.error(replicas.place,
                    here + " must be the list of a partition's " +
                        (of_directories ? "directories" : "brokers") + ", not " + describe(replicas),
                    "such as [2, 1, 3]");
      all_right = false;
      continue;
    }
    for (Value& item : replicas.items) {
      constexpr std::string_view kBrokerPrefix = "broker-";
      const bool is_name = !of_directories && item.is_scalar() && item.text.starts_with(kBrokerPrefix);
      const ReadTarget read = item.is_scalar()
                                  ? read_target(is_name ? item.text : std::string(kBrokerPrefix) + item.text)
                                  : ReadTarget{};
      const auto* broker = read.target ? std::get_if<fault::BrokerTarget>(&*read.target) : nullptr;
      if (broker != nullptr) {
        item.text = std::to_string(broker->id.value());
        item.quoted = false;
        continue;
      }
      report_.error(item.place,
                    here + ": " + describe(item) + " is no " + (of_directories ? "directory" : "broker"),
                    of_directories ? "directories are counted from 1" : "such as 2");
      all_right = false;
    }
  }
  return all_right;
}

}  // namespace sim::scenario
