#include "scenario/walk.h"

#include <algorithm>
#include <utility>

#include "history/table.h"
#include "scenario/files.h"
#include "scenario/suggest.h"

namespace sim::scenario {

namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

std::string below(const std::string& where, std::string_view key) {
  return where.empty() ? std::string(key) : where + "." + std::string(key);
}

std::string called(const std::string& where) {
  return where.empty() ? "the scenario" : where;
}

// The row for a key of a section: where two share it, the one whose companion is there.
const Key* row_of(const std::vector<const Key*>& rows, std::string_view key, const Value& section) {
  const Key* found = nullptr;
  for (const Key* row : rows) {
    if (row->last() != key) continue;
    if (row->belongs_in(section)) return row;
    if (found == nullptr) found = row;
  }
  return found;
}

// "halves|bridge|majorities-ring"
std::vector<std::string_view> words_of(const Key& key) {
  std::vector<std::string_view> words;
  for (std::string_view rest = key.words;;) {
    const std::size_t end = rest.find('|');
    words.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) return words;
    rest.remove_prefix(end + 1);
  }
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), is_word_char);
}

bool is_topic_name(std::string_view text) {
  return !text.empty() && text.size() <= 249 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), is_word_char);
}

void Walk::scenario(Value& root) {
  fixed_names_ = fixed_names(root);
  section(root, "", "");
}

bool Walk::not_a(const Value& value, const Key& key, const std::string& where, const std::string& problem,
                 const std::string& hint) {
  if (value.kind == Value::Kind::null) {
    report_.error(value.place, where + " has no value", "it is " + describe(key));
  } else if (problem.empty()) {
    report_.error(value.place, where + " must be " + describe(key) + ", not " + describe(value), hint);
  } else {
    report_.error(value.place, where + " must be " + describe(key) + ": " + describe(value) + " " + problem,
                  hint);
  }
  return false;
}

bool Walk::section(Value& value, std::string_view path, const std::string& where) {
  if (path == "clients/<name>") {
    const Value* library = value.find("client");
    const bool is_librdkafka = library != nullptr && library->text == "librdkafka";
    library_ = is_librdkafka ? ClientLibrary::librdkafka : ClientLibrary::java;
  }
  const std::vector<const Key*> rows = keys_below(path);
  const bool kind_known = keep_one_alternative(value, path, where);
  std::vector<std::string> wrong;  // taken out at the end: until then they count as given
  for (Entry& entry : value.entries) {
    const Key* row = row_of(rows, entry.key, value);
    if (row == nullptr) {
      unknown_key(entry, path, value, where);
      wrong.push_back(entry.key);
      continue;
    }
    const std::string here = below(where, entry.key);
    if (!row->only_with.empty() && value.find(row->only_with) == nullptr) {
      if (kind_known) {
        report_.error(entry.key_place,
                      here + " means something only together with \"" + std::string(row->only_with) + "\"");
      }
      wrong.push_back(entry.key);
      continue;
    }
    if (!row->belongs_in(value)) {
      const bool lacks = !row->also_with.empty() && value.find(row->also_with) == nullptr;
      report_.error(entry.key_place,
                    here +
                        (lacks ? " means something only together with \"" + std::string(row->also_with)
                               : " means nothing beside \"" + std::string(row->not_with)) +
                        "\"");
      wrong.push_back(entry.key);
      continue;
    }
    if (entry.value.kind == Value::Kind::null) entry.value.place = entry.key_place;
    if (!any(entry.value, *row, here)) wrong.push_back(entry.key);
  }
  for (const Key* row : rows) {
    if (!row->required || !row->belongs_in(value)) continue;
    if (value.find(row->last()) != nullptr) continue;
    report_.error(value.place, "\"" + std::string(row->last()) + "\" is missing in " + called(where),
                  "it is " + describe(*row));
  }
  value.lacks_wrong = !wrong.empty();
  std::erase_if(value.entries, [&wrong](const Entry& entry) {
    return std::find(wrong.begin(), wrong.end(), entry.key) != wrong.end();
  });
  return true;
}

void Walk::unknown_key(const Entry& entry, std::string_view path, const Value& section,
                       const std::string& where) {
  if (report_.full())
    return report_.error(entry.key_place, "unknown key \"" + entry.key + "\" in " + called(where));
  std::vector<std::string_view> known;
  for (const Key* row : keys_below(path)) {
    if (row->belongs_in(section)) known.push_back(row->last());
  }
  std::string hint = did_you_mean(entry.key, known);
  const bool has_config = std::find(known.begin(), known.end(), "config") != known.end();
  if (hint.empty() && has_config &&
      find_property(entry.key, kBroker | kController | kTopic | kProducer | kConsumer) != nullptr) {
    hint = "a Kafka property stands under config";
  }
  if (hint.empty()) {
    for (const Key& elsewhere : keys()) {
      if (elsewhere.last() == entry.key && hint.empty()) hint = "there is " + dotted(elsewhere.path);
    }
  }
  constexpr std::size_t kMostToList = 16;  // more would be nobody's help
  if (hint.empty() && !path.empty() && !known.empty() && known.size() <= kMostToList)
    hint = "it knows " + listed(known);
  report_.error(entry.key_place, "unknown key \"" + entry.key + "\" in " + called(where), hint);
}

// partition: {bridge: ...}
bool Walk::no_word_as_key(const Value& value, const Key& key, const std::string& where) {
  if (key.words.empty()) return true;
  const std::vector<std::string_view> words = words_of(key);
  for (const Entry& entry : value.entries) {
    if (std::find(words.begin(), words.end(), entry.key) == words.end()) continue;
    report_.error(entry.key_place, "unknown key \"" + entry.key + "\" in " + where,
                  entry.key + " stands alone: `" + std::string(key.last()) + ": " + entry.key + "`");
    return false;
  }
  return true;
}

bool Walk::keep_one_alternative(Value& value, std::string_view path, const std::string& where) {
  constexpr std::uint8_t kMostSets = 2;
  bool all_given = true;
  for (std::uint8_t set = 1; set <= kMostSets; ++set) {
    std::vector<std::string_view> all;
    for (const Key* row : keys_below(path)) {
      const bool counts = row->only_with.empty() || value.find(row->only_with) != nullptr;
      if (row->alternative == set && counts) all.push_back(row->last());
    }
    if (!all.empty() && !keep_one_of(value, all, where)) all_given = false;
  }
  std::vector<std::string_view> any;
  for (const Key* row : keys_below(path)) {
    if (row->alternative == kAnyOf && std::find(any.begin(), any.end(), row->last()) == any.end())
      any.push_back(row->last());
  }
  const auto is_given = [&](std::string_view key) { return value.find(key) != nullptr; };
  if (!any.empty() && std::none_of(any.begin(), any.end(), is_given)) {
    report_.error(value.place, where + " needs one of " + listed(any));
    all_given = false;
  }
  return all_given;
}

bool Walk::keep_one_of(Value& value, const std::vector<std::string_view>& all, const std::string& where) {
  const std::string list = listed(all);
  std::string first;
  std::erase_if(value.entries, [&](const Entry& entry) {
    if (std::find(all.begin(), all.end(), entry.key) == all.end()) return false;
    if (first.empty()) {
      first = entry.key;
      return false;
    }
    report_.error(entry.key_place, where + " has both \"" + first + "\" and \"" + entry.key + "\"",
                  "give one of " + list);
    return true;
  });
  if (first.empty()) report_.error(value.place, where + " needs one of " + list);
  return !first.empty();
}

bool Walk::any(Value& value, const Key& key, const std::string& where) {
  if (value.kind == Value::Kind::null) return not_a(value, key, where);
  switch (key.type) {
    case KeyType::section:
      if (value.is_scalar() && !key.words.empty()) return word(value, key, where);
      if (value.is_scalar() && !key.short_for.empty()) write_out(value, key);
      if (!value.is_map()) return not_a(value, key, where);
      return no_word_as_key(value, key, where) && section(value, key.path, where);
    case KeyType::names: return names(value, key, where);
    case KeyType::list: return list(value, key, where);
    case KeyType::scalar: return number(value, key, where);
    case KeyType::boolean: return boolean(value, key, where);
    case KeyType::text:
    case KeyType::limit: return value.is_scalar() || not_a(value, key, where);
    case KeyType::name: return name(value, key, where);
    case KeyType::word: return word(value, key, where);
    case KeyType::name_list: return name_list(value, key, where);
    case KeyType::matrix: return matrix(value, key, where);
    case KeyType::path: return path(value, key, where);
    case KeyType::distribution: return distribution(value, key, where);
    case KeyType::key_choice: return key_choice(value, key, where);
    case KeyType::properties: return properties(value, key, where);
    case KeyType::targets: return targets(value, key, where);
    case KeyType::target_groups: return target_groups(value, key, where);
    case KeyType::partitions: return partitions(value, key, where);
    case KeyType::replica_lists: return replica_lists(value, key, where);
    case KeyType::assignment: return assignment(value, key, where);
    case KeyType::variations: return value.is_map() || not_a(value, key, where);  // drawn before
    case KeyType::fixed_targets: return fixed_targets(value, key, where);
  }
  return false;
}

bool Walk::names(Value& value, const Key& key, const std::string& where) {
  if (!value.is_map()) return not_a(value, key, where);
  const bool topics = key.path == "topics";
  std::vector<Entry> kept;
  for (Entry& entry : value.entries) {
    const std::string here = below(where, entry.key);
    if (topics ? !is_topic_name(entry.key) : !is_name(entry.key)) {
      report_.error(entry.key_place, "\"" + entry.key + "\" cannot be a name in " + where,
                    "use letters, digits, '.', '_' and '-'");
    } else if (topics && entry.key.starts_with("__")) {
      report_.error(entry.key_place, entry.key + " is an internal topic of Kafka",
                    "its settings are in cluster.config: offsets.topic.num.partitions and others");
    } else if (!entry.value.is_map()) {
      if (entry.value.kind == Value::Kind::null) entry.value.place = entry.key_place;
      report_.error(entry.value.place, here + " must be a map, not " + describe(entry.value));
    } else if (section(entry.value, std::string(key.path) + "/<name>", here)) {
      kept.push_back(std::move(entry));
    }
  }
  value.entries = std::move(kept);
  return true;
}

bool Walk::list(Value& value, const Key& key, const std::string& where) {
  if (!value.is_list()) return not_a(value, key, where);
  std::vector<Value> kept;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    Value& item = value.items[i];
    const std::string here = where + "[" + std::to_string(i) + "]";
    if (!item.is_map()) {
      report_.error(item.place, here + " must be a map, not " + describe(item));
    } else if (section(item, std::string(key.path) + "/[]", here)) {
      kept.push_back(std::move(item));
    }
  }
  value.items = std::move(kept);
  return true;
}

bool Walk::number(Value& value, const Key& key, const std::string& where) {
  if (!value.is_scalar()) return not_a(value, key, where);
  const Scalar scalar = read_scalar(value.text, key.unit);
  if (!scalar.value) return not_a(value, key, where, scalar.problem, scalar.hint);
  if (*scalar.value < key.least || *scalar.value > key.most) {
    const bool low = *scalar.value < key.least;
    report_.error(value.place, where + " must be at " + (low ? "least " : "most ") +
                                   print_scalar(low ? key.least : key.most, key.unit) + ", not " +
                                   value.text);
    return false;
  }
  value.text = print_scalar(*scalar.value, key.unit);
  value.quoted = false;
  return true;
}

bool Walk::boolean(Value& value, const Key& key, const std::string& where) {
  if (!value.is_scalar()) return not_a(value, key, where);
  if (value.text == "true" || value.text == "false") return true;
  std::string lower = value.text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool yes = lower == "yes" || lower == "on" || lower == "y" || lower == "true" || lower == "1";
  const bool no = lower == "no" || lower == "off" || lower == "n" || lower == "false" || lower == "0";
  return not_a(value, key, where, {}, yes ? "write true" : no ? "write false" : "");
}

bool Walk::name(Value& value, const Key& key, const std::string& where) {
  if (!value.is_scalar()) return not_a(value, key, where);
  const bool topic = key.last() == "produces" || key.last() == "consumes" || key.last() == "topic" ||
                     key.last() == "delete-topic";
  if (topic ? is_topic_name(value.text) : is_name(value.text)) return true;
  return not_a(value, key, where, "cannot be one", "use letters, digits, '.', '_' and '-'");
}

bool Walk::word(Value& value, const Key& key, const std::string& where) {
  if (!value.is_scalar()) return not_a(value, key, where);
  const std::vector<std::string_view> words = words_of(key);
  if (key.path == "cluster/kafka") {  // 3.6.1 plays as 3.6
    if (const std::optional<KafkaVersion> version = read_kafka_version(value.text))
      value.text = history::text_of(*version);
  }
  if (std::find(words.begin(), words.end(), value.text) != words.end()) return true;
  return not_a(value, key, where, {}, did_you_mean(value.text, words));
}

bool Walk::name_list(Value& value, const Key& key, const std::string& where) {
  if (!value.is_list()) return not_a(value, key, where);
  for (const Value& item : value.items) {
    if (!item.is_scalar() || !is_name(item.text)) {
      report_.error(item.place,
                    where + " must be " + describe(key) + ", and " + describe(item) + " cannot be a name");
      return false;
    }
  }
  return true;
}

bool Walk::path(Value& value, const Key& key, const std::string& where) {
  if (!value.is_scalar() || value.text.empty()) return not_a(value, key, where);
  value.text = locate(scenario_file_, value.text);
  return true;
}

}  // namespace sim::scenario
