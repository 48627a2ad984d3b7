#include "scenario/tree.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "scenario/secrets.h"

namespace sim::scenario {

const Value* Value::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

const Value& Value::at(std::string_view key) const {
  const Value* found = find(key);
  SIM_CHECK(found != nullptr, "a completed scenario has every key");
  return *found;
}

void Value::set(std::string key, Value value) {
  if (Value* found = find(key)) {
    *found = std::move(value);
    return;
  }
  entries.push_back(Entry{std::move(key), value.place, std::move(value)});
}

Value scalar(std::string text, Place place) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.place = place;
  value.text = std::move(text);
  return value;
}

Value empty_map(Place place) {
  Value value;
  value.kind = Value::Kind::map;
  value.place = place;
  return value;
}

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a map";
    case Value::Kind::scalar: break;
  }
  constexpr std::size_t kShown = 40;
  std::string shown = value.text.substr(0, kShown);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return "\"" + shown + (value.text.size() > kShown ? "...\"" : "\"");
}

int Report::add_source(std::string name, std::string_view text, bool one_line) {
  Source source;
  source.one_line = one_line;
  source.name = std::move(name);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    source.lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  sources_.push_back(std::move(source));
  return static_cast<int>(sources_.size()) - 1;
}

void Report::error(const Place& place, std::string message, std::string hint) {
  add(place, std::move(message), std::move(hint), false);
}

void Report::warning(const Place& place, std::string message, std::string hint) {
  add(place, std::move(message), std::move(hint), true);
}

void Report::add(const Place& place, std::string message, std::string hint, bool warning) {
  Problem problem;
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  problem.warning = warning;
  const int source = place.source < 0 ? 0 : place.source;
  if (source < static_cast<int>(sources_.size())) {
    const Source& text = sources_[static_cast<std::size_t>(source)];
    problem.file = text.name;
    if (place.source >= 0 && !text.one_line) {
      problem.line = place.line;
      problem.column = place.column;
    }
    if (problem.line >= 1 && problem.line <= static_cast<int>(text.lines.size())) {
      problem.source_line = without_secrets(text.lines[static_cast<std::size_t>(problem.line) - 1]);
      problem.column = std::min(problem.column, static_cast<int>(problem.source_line.size()) + 1);
      const int rest = static_cast<int>(problem.source_line.size()) - problem.column + 1;
      problem.caret_length = std::clamp(place.length, 0, std::max(rest, 0));
    }
  }
  keep(source, std::move(problem));
}

void Report::add(const Problem& problem) {
  keep(static_cast<int>(sources_.size()), problem);
}

void Report::keep(int source, Problem problem) {
  // Two rules may stumble over one mistake, and an alias is read wherever it is used.
  if (!seen_.emplace(source, problem.line, problem.column, problem.message).second) return;
  failed_ = failed_ || !problem.warning;
  if (full()) {
    ++left_out_;
    return;
  }
  problems_.emplace_back(source, std::move(problem));
}

Problems Report::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.first, a.second.line, a.second.column) <
           std::tuple(b.first, b.second.line, b.second.column);
  });
  Problems sorted;
  for (auto& [source, problem] : problems_) sorted.push_back(std::move(problem));
  if (left_out_ != 0) {
    Problem more;
    more.file = sources_.front().name;
    more.message = "and " + std::to_string(left_out_) + " more problems";
    sorted.push_back(std::move(more));
  }
  problems_.clear();
  seen_.clear();
  return sorted;
}

}  // namespace sim::scenario
