#include "scenario/draft.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "scenario/resolved.h"

namespace sim::scenario {
namespace {

std::optional<std::size_t> place_in(const Value& list, const std::string& text) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place);
  if (error != std::errc{} || end != text.data() + text.size() || place >= list.items.size())
    return std::nullopt;
  return place;
}

const Value* step_into(const Value* value, const std::string& key) {
  if (value->is_map()) return value->find(key);
  if (!value->is_list()) return nullptr;
  const auto place = place_in(*value, key);
  return place ? &value->items[*place] : nullptr;
}

// Takes out, one after another and from the outside in, what makes no difference.
class Pruning {
 public:
  Pruning(Draft draft, std::string file) : draft_(std::move(draft)), file_(std::move(file)) {
    wanted_ = resolved();
  }

  Draft pruned() {
    prune({});
    return std::move(draft_);
  }

 private:
  std::string resolved() const {
    const Result<Scenario> scenario = draft_.load(file_);
    return scenario ? scenario->resolved_yaml : std::string{};
  }

  // All of them at once if that makes no difference, else each half: most say no more than the default.
  void remove_needless(const DraftPath& path, std::vector<std::string> keys) {
    if (keys.empty()) return;
    Draft before = draft_;
    for (const std::string& key : keys) {
      DraftPath one = path;
      one.push_back(key);
      draft_.remove(one);
    }
    if (resolved() == wanted_) return;
    draft_ = std::move(before);
    if (keys.size() == 1) return;
    const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
    remove_needless(path, {keys.begin(), middle});
    remove_needless(path, {middle, keys.end()});
  }

  // Items of lists stay: each is there on purpose. What is in them may go.
  void prune(const DraftPath& path) {
    const std::vector<std::string> keys = draft_.below(path);
    const bool is_list = !keys.empty() && keys.front() == "0";
    if (!is_list) remove_needless(path, keys);
    for (const std::string& key : draft_.below(path)) {
      DraftPath below = path;
      below.push_back(key);
      prune(below);
    }
  }

  Draft draft_;
  std::string file_;
  std::string wanted_;
};

}  // namespace

Draft::Draft(const Scenario& scenario) {
  Report report;
  const int source = report.add_source(scenario.file, scenario.resolved_yaml);
  std::optional<Value> root = read_yaml(scenario.resolved_yaml, source, report);
  SIM_CHECK(root.has_value(), "a resolved scenario is YAML");
  root_ = std::move(*root);
}

std::string Draft::text() const {
  return print_yaml(root_);
}

Result<Scenario> Draft::load(const std::string& file) const {
  return load_text(file, text(), {});
}

const Value* Draft::find(const DraftPath& path) const {
  const Value* value = &root_;
  for (const std::string& key : path) {
    value = step_into(value, key);
    if (value == nullptr) return nullptr;
  }
  return value;
}
Value* Draft::find(const DraftPath& path) {
  return const_cast<Value*>(std::as_const(*this).find(path));
}

std::optional<std::string> Draft::get(const DraftPath& path) const {
  const Value* value = find(path);
  if (value == nullptr || !value->is_scalar()) return std::nullopt;
  return value->text;
}

std::vector<std::string> Draft::below(const DraftPath& path) const {
  const Value* value = find(path);
  std::vector<std::string> keys;
  if (value == nullptr) return keys;
  for (const Entry& entry : value->entries) keys.push_back(entry.key);
  for (std::size_t i = 0; i < value->items.size(); ++i) keys.push_back(std::to_string(i));
  return keys;
}

void Draft::set(const DraftPath& path, std::string value) {
  Value* target = find(path);
  SIM_CHECK(target != nullptr, "what is changed in a draft is there");
  *target = scalar(std::move(value));
}

void Draft::remove(const DraftPath& path) {
  SIM_CHECK(!path.empty(), "a draft has a root");
  Value* parent = find({path.begin(), path.end() - 1});
  SIM_CHECK(parent != nullptr, "what is taken out of a draft is there");
  if (parent->is_map()) {
    std::erase_if(parent->entries, [&](const Entry& entry) { return entry.key == path.back(); });
  } else if (const auto place = place_in(*parent, path.back())) {
    parent->items.erase(parent->items.begin() + static_cast<std::ptrdiff_t>(*place));
  }
}

Draft without_defaults(const Draft& draft, const std::string& file) {
  return Pruning(draft, file).pruned();
}

}  // namespace sim::scenario
