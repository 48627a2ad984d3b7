#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "scenario/tree.h"

// The only file that knows yaml-cpp, and of it only the events: its own tree lets duplicate keys and
// self-referencing aliases pass, and its scalars read 010 as 8 and yes as true.
namespace sim::scenario {

namespace {

struct Stop {  // thrown out of the parser at the first problem
  Place place;
  std::string message;
  std::string hint;
};

// Whose rules hold: a scenario is strict, the files of other tools are taken as their tools take them.
enum class YamlOf : std::uint8_t { scenarios, other_tools };

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(int source, const Source& text, YamlOf whose) : source_(source), text_(text), whose_(whose) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value value;
    value.place = place(mark, 0);
    finish(std::move(value), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag == "?" && (text == "~" || text == "null")) return OnNull(mark, anchor);
    refuse_tag(mark, tag);
    Value value = scalar(text, place(mark, text.size()));
    value.quoted = tag != "?";
    if (const char opening = value.quoted ? at(value.place) : '\0'; opening == '|') {
      value.literal = true;
      value.place.length = 1;
    } else if (opening == '"' || opening == '\'') {
      value.place.length += 2;
      if (!is_closed(value.place, opening)) throw Stop{value.place, "a quoted text is never closed", {}};
    }
    finish(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{place(mark, 1), "this alias refers to the value it is part of",
                 "a scenario cannot contain itself"};
    }
    count(mark, found->second.values);
    add(Value(found->second.value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor;
    std::size_t values_before;
    bool has_key = false;
    std::string key{};
    Place key_place{};
    std::map<std::string, int> lines{};  // of the keys so far
  };
  struct Anchored {
    Value value;
    std::size_t values;
  };

  Place place(const YAML::Mark& mark, std::size_t length) const {
    return Place{source_, mark.line + 1, mark.column + 1, static_cast<int>(length)};
  }

  char at(const Place& place) const {
    if (place.line < 1 || place.line > static_cast<int>(text_.lines.size())) return '\0';
    const std::string& line = text_.lines[static_cast<std::size_t>(place.line) - 1];
    const std::size_t column = static_cast<std::size_t>(place.column) - 1;
    return column < line.size() ? line[column] : '\0';
  }

  // yaml-cpp takes the end of the file for the end of a quoted text.
  bool is_closed(const Place& opening, char quote) const {
    std::size_t column = static_cast<std::size_t>(opening.column);
    for (std::size_t at = static_cast<std::size_t>(opening.line) - 1; at < text_.lines.size();
         ++at, column = 0) {
      const std::string& line = text_.lines[at];
      for (; column < line.size(); ++column) {
        if (quote == '"' && line[column] == '\\') {
          ++column;
        } else if (line[column] == quote) {
          if (quote == '"' || column + 1 >= line.size() || line[column + 1] != '\'') return true;
          ++column;  // '' stands for one
        }
      }
    }
    return false;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (whose_ == YamlOf::other_tools || tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{place(mark, 1), "a tag (" + tag + ") has no meaning in a scenario", "leave it out"};
  }

  void count(const YAML::Mark& mark, std::size_t values) {
    values_ += values;
    if (values_ > kMaxValues) {
      throw Stop{place(mark, 1),
                 "the scenario holds more than " + std::to_string(kMaxValues) + " values (aliases copied in)",
                 {}};
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    refuse_tag(mark, tag);
    count(mark, 1);
    if (static_cast<int>(open_.size()) >= kMaxDepth) {
      throw Stop{place(mark, 1), "nested more than " + std::to_string(kMaxDepth) + " levels deep", {}};
    }
    if (!open_.empty() && open_.back().value.is_map() && !open_.back().has_key) {
      throw Stop{place(mark, 1), "a key must be a word, not a map or a list", "is a { or a [ never closed?"};
    }
    Value value;
    value.kind = kind;
    value.place = place(mark, 1);
    open_.push_back(Open{std::move(value), anchor, values_});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (whose_ == YamlOf::other_tools && done.value.is_map()) merge_keys(done.value);
    if (done.anchor != 0) anchors_[done.anchor] = Anchored{done.value, values_ - done.values_before + 1};
    add(std::move(done.value));
  }

  void finish(Value value, YAML::anchor_t anchor) {
    YAML::Mark mark;
    mark.line = value.place.line - 1;
    mark.column = value.place.column - 1;
    count(mark, 1);
    if (anchor != 0) anchors_[anchor] = Anchored{value, 1};
    add(std::move(value));
  }

  // A value is complete: it is the root, an item, a key or the value of a key.
  void add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.is_list()) {
      parent.value.items.push_back(std::move(value));
    } else if (!parent.has_key) {
      take_key(parent, value);
    } else {
      parent.has_key = false;
      parent.value.entries.push_back(Entry{std::move(parent.key), parent.key_place, std::move(value)});
    }
  }

  // <<: *common, or a list of such: what the map itself says wins, then the earlier of the list.
  static void merge_keys(Value& map) {
    const auto merge = std::find_if(map.entries.begin(), map.entries.end(),
                                    [](const Entry& entry) { return entry.key == "<<"; });
    if (merge == map.entries.end()) return;
    const Value merged = std::move(merge->value);
    map.entries.erase(merge);
    const auto take_from = [&map](const Value& other) {
      for (const Entry& entry : other.entries) {
        if (map.find(entry.key) == nullptr) map.entries.push_back(entry);
      }
    };
    take_from(merged);
    for (const Value& other : merged.items) take_from(other);
  }

  void take_key(Open& parent, const Value& key) const {
    if (!key.is_scalar()) throw Stop{key.place, "a key must be a word, not " + describe(key), {}};
    if (key.text == "<<" && !key.quoted && whose_ == YamlOf::scenarios) {
      throw Stop{key.place, "merge keys (<<) are not supported",
                 "write the values out, or use an alias for the whole value"};
    }
    const auto [earlier, is_new] = parent.lines.emplace(key.text, key.place.line);
    if (!is_new) {
      throw Stop{key.place, "duplicate key \"" + key.text + "\"",
                 "first given in line " + std::to_string(earlier->second)};
    }
    parent.has_key = true;
    parent.key = key.text;
    parent.key_place = key.place;
  }

  int source_;
  const Source& text_;
  YamlOf whose_;
  Value root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;  // complete ones only
  std::size_t values_ = 0;
};

// yaml-cpp's words for what people get wrong most often, in ours.
std::string friendlier(const std::string& message) {
  static const std::map<std::string, std::string> kWords = {
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "a { is never closed: } or , expected"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a [ is never closed: ] or , expected"},
      {YAML::ErrorMsg::END_OF_MAP,
       "this line does not fit the lines above: wrong indentation, or a key without a colon"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "this line does not fit the list above: wrong indentation, or an item without a dash"},
      {YAML::ErrorMsg::MAP_VALUE, "a colon that belongs to no key here: quote the text, or break the line"},
      {YAML::ErrorMsg::FLOW_END, "a closing bracket that was never opened"},
      {YAML::ErrorMsg::BAD_FILE, "nested too deeply"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR,
       "this alias refers to nothing: no anchor of that name comes before it"},
  };
  const auto found = kWords.find(message);
  return found == kWords.end() ? message : found->second;
}

// A tab in the indentation of the line that broke, or of the one before: yaml-cpp seldom says that this is
// why.
std::optional<Place> tab_before(int source, int line, const Report& report) {
  const std::vector<std::string>& lines = report.source(source).lines;
  for (int at = std::max(1, line - 1); at <= line && at <= static_cast<int>(lines.size()); ++at) {
    const std::string& text = lines[static_cast<std::size_t>(at) - 1];
    const std::size_t tab = text.find('\t');
    if (tab != std::string::npos && tab < text.find_first_not_of(" \t"))
      return Place{source, at, static_cast<int>(tab) + 1, 1};
  }
  return std::nullopt;
}

}  // namespace

namespace {

// Documents until there are no more of them, or too many; nothing if one cannot be read.
std::optional<std::vector<Value>> read_documents(std::string_view text, int source, YamlOf whose,
                                                 std::size_t most, Report& report) {
  std::vector<Value> documents;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (documents.size() < most) {
      TreeBuilder builder(source, report.source(source), whose);
      if (!parser.HandleNextDocument(builder)) break;
      documents.push_back(builder.take());
    }
    return documents;
  } catch (const Stop& stop) {
    report.error(stop.place, stop.message, stop.hint);
  } catch (const YAML::Exception& broken) {
    if (const std::optional<Place> tab = tab_before(source, broken.mark.line + 1, report)) {
      report.error(*tab, "a tab where spaces are needed: YAML is indented with spaces");
      return std::nullopt;
    }
    Place place{source};
    if (!broken.mark.is_null()) place = Place{source, broken.mark.line + 1, broken.mark.column + 1, 1};
    report.error(place, friendlier(broken.msg));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Value> read_yaml(std::string_view text, int source, Report& report) {
  std::optional<std::vector<Value>> documents = read_documents(text, source, YamlOf::scenarios, 2, report);
  if (!documents) return std::nullopt;
  if (documents->empty()) {
    report.error(Place{source}, "the file holds nothing", "try: kraftsim run @order-flow");
    return std::nullopt;
  }
  if (documents->size() > 1) {
    report.error(documents->back().place, "a second document (---) in one file: a scenario is one document");
    return std::nullopt;
  }
  return std::move(documents->front());
}

std::optional<std::vector<Value>> read_yaml_documents(std::string_view text, int source, Report& report) {
  constexpr std::size_t kMostDocuments = 1'000;
  return read_documents(text, source, YamlOf::other_tools, kMostDocuments, report);
}

}  // namespace sim::scenario
