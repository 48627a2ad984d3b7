#include "scenario/drawn.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "chaos/chaos.h"
#include "scenario/distribution.h"
#include "scenario/overrides.h"
#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/targets.h"
#include "scenario/units.h"

namespace sim::scenario {
namespace {

constexpr UnitKind kVariedUnits[] = {UnitKind::none,  UnitKind::duration,  UnitKind::size,
                                     UnitKind::rate,  UnitKind::byte_rate, UnitKind::bandwidth,
                                     UnitKind::share, UnitKind::ratio};

std::uint64_t seed_of(const Value& root) {
  const Value* given = root.find("seed");
  const auto seed = given == nullptr ? std::nullopt : read_scalar(given->text, UnitKind::none).value;
  return static_cast<std::uint64_t>(seed.value_or(1));
}

// One of the numbers of a range in the unit of its ends, both included.
std::optional<std::string> draw_between(const Value& range, Rng& rng) {
  const Value* from = range.find("from");
  const Value* to = range.find("to");
  if (from == nullptr || to == nullptr || range.entries.size() != 2) return std::nullopt;
  for (const UnitKind unit : kVariedUnits) {
    const auto low = read_scalar(from->text, unit).value, high = read_scalar(to->text, unit).value;
    if (!low || !high || *low > *high || *high - *low < 0) continue;
    return print_scalar(rng.between(*low, *high + 1), unit);
  }
  return std::nullopt;
}

std::optional<std::string> draw_value(const Value& choice, Rng rng) {
  if (choice.is_map()) return draw_between(choice, rng);
  if (!choice.is_list() || choice.items.empty()) return std::nullopt;
  for (const Value& item : choice.items) {
    if (!item.is_scalar()) return std::nullopt;
  }
  return choice.items[static_cast<std::size_t>(rng.below(choice.items.size()))].text;
}

chaos::Spec spec_of(const Value& root, const Value& given, Report& report) {
  chaos::Spec spec;
  spec.budget = count_of(given.at("budget"));
  spec.at_once = count_of(given.at("at.once"));
  spec.swarm = given.at("swarm").text == "true";
  spec.moments = given.at("moments").text == "true";
  const std::vector<Value>& words = given.at("kinds").items;
  std::vector<std::string_view> known;
  for (const chaos::Kind kind : chaos::kAllKinds) known.push_back(chaos::name_of(kind));
  for (const Value& word : words) {
    if (std::find(known.begin(), known.end(), word.text) != known.end()) continue;
    std::string list;
    for (const std::string_view kind : known) list += (list.empty() ? "" : ", ") + std::string(kind);
    const std::string hint = did_you_mean(word.text, known);
    report.error(word.place, "chaos.kinds: there is no kind \"" + word.text + "\"",
                 hint.empty() ? "they are " + list : hint);
  }
  for (const chaos::Kind kind : chaos::kAllKinds) {
    const bool is_named = std::any_of(
        words.begin(), words.end(), [kind](const Value& word) { return word.text == chaos::name_of(kind); });
    if (is_named || words.empty()) spec.kinds.push_back(kind);
  }
  spec.gap = make_distribution(given.at("gap"), UnitKind::duration, 1, report);
  spec.length = make_distribution(given.at("for"), UnitKind::duration, 1, report);
  spec.from = duration_of(given.at("from"));
  spec.until = duration_of(given.at("until"));
  const Value& duration = root.at("duration");
  if (spec.from >= spec.until) {
    report.error(given.at("until").place,
                 "chaos begins at " + given.at("from").text + " and would end at " + given.at("until").text,
                 "make until later than from; the load lasts " + duration.text);
  }
  return spec;
}

chaos::Surroundings surroundings_of(const Value& root) {
  chaos::Surroundings around;
  around.brokers = count_of(root.at("cluster").at("brokers"));
  around.controllers = count_of(root.at("cluster").at("controllers"));
  for (const Entry& topic : root.at("topics").entries) {
    around.topics.push_back(
        {topic.key, count_of(topic.value.at("partitions")), count_of(topic.value.at("replication.factor"))});
  }
  for (const Entry& client : root.at("clients").entries) {
    if (const Value* group = client.value.find("group.id")) around.groups.push_back(group->text);
  }
  return around;
}

Value fault_value(const chaos::DrawnFault& drawn, Report& report) {
  const auto time = [](Duration duration) {
    return print_scalar(duration.count() / 1'000'000 * 1'000'000, UnitKind::duration);
  };
  std::string text = "{name: " + drawn.name + ", at: " + time(drawn.at);
  if (!drawn.when.empty())
    text += ", when: \"" + drawn.when + "\", wait: " + time(std::max(drawn.waits, Duration{1'000'000}));
  if (drawn.lasts.count() != 0) text += ", for: " + time(std::max(drawn.lasts, Duration{1'000'000}));
  text += ", may.miss: true, " + drawn.kind + ": " + drawn.body + "}";
  std::optional<Value> value = read_yaml(text, report.add_source("chaos", text, true), report);
  SIM_CHECK(value.has_value(), "a drawn fault is YAML");
  return std::move(*value);
}

struct MomentWord {
  std::string_view word;
  fault::Moment::What what;
  enum class Of : std::uint8_t { partition, group, nothing } of;
};
constexpr MomentWord kMoments[] = {
    {"append", fault::Moment::What::append, MomentWord::Of::partition},
    {"isr_change", fault::Moment::What::isr_change, MomentWord::Of::partition},
    {"leader_change", fault::Moment::What::leader_change, MomentWord::Of::partition},
    {"rebalance", fault::Moment::What::rebalance, MomentWord::Of::group},
    {"controller_change", fault::Moment::What::controller_change, MomentWord::Of::nothing},
};

}  // namespace

void draw_variations(Value& root, const std::vector<Override>& overrides, Report& report) {
  const Value* vary = root.find("vary");
  if (vary == nullptr) return;
  std::vector<Override> drawn;
  const Rng rng(seed_of(root), "vary");
  if (!vary->is_map()) {
    report.error(vary->place, "vary must be a map from keys to values to choose from, not " + describe(*vary),
                 "such as clients.order-service.config.linger.ms: [0, 5, 20]");
  }
  for (const Entry& entry : vary->entries) {
    const std::optional<std::string> value = draw_value(entry.value, rng.child(entry.key));
    if (!value) {
      report.error(entry.value.place,
                   "vary." + entry.key + " must be a list of values, or a range with from and to in one unit",
                   "such as [0, 5, 20] or {from: 200us, to: 2ms}");
      continue;
    }
    const bool is_set = std::any_of(overrides.begin(), overrides.end(),
                                    [&](const Override& one) { return one.path == entry.key; });
    if (!is_set) drawn.push_back({entry.key, *value});
  }
  std::erase_if(root.entries, [](const Entry& entry) { return entry.key == "vary"; });
  apply_overrides(root, drawn, report);
}

bool draw_chaos(Value& root, Report& report) {
  const Value* given = root.find("chaos");
  if (given == nullptr) return false;
  const chaos::Spec spec = spec_of(root, *given, report);
  std::erase_if(root.entries, [](const Entry& entry) { return entry.key == "chaos"; });
  if (report.failed()) return true;
  Value faults;
  faults.kind = Value::Kind::list;
  if (const Value* before = root.find("faults")) faults = *before;
  for (const chaos::DrawnFault& drawn : chaos::draw(spec, surroundings_of(root), Rng(seed_of(root), "chaos")))
    faults.items.push_back(fault_value(drawn, report));
  root.set("faults", std::move(faults));
  return true;
}

void wait_from_the_start(Value& root) {
  Value* faults = root.find("faults");
  if (faults == nullptr) return;
  for (Value& fault : faults->items) {
    const Value* when = fault.is_map() ? fault.find("when") : nullptr;
    if (when == nullptr || fault.find("at") != nullptr) continue;
    const Place place = when->place;
    fault.set("at", scalar("0s", place));
  }
}

std::optional<fault::Condition> read_when(std::string_view text, std::string& why_not) {
  text = trimmed(text);
  why_not = "is no condition";
  const std::size_t open = text.find('('), close = text.rfind(')');
  const std::string_view word = trimmed(text.substr(0, open));
  const bool has_inside = open != std::string_view::npos && close != std::string_view::npos && open < close;
  const std::string_view inside = has_inside ? trimmed(text.substr(open + 1, close - open - 1)) : "";
  const std::string_view rest = trimmed(has_inside ? text.substr(close + 1) : std::string_view{});
  if (word == "lag" || word == "lag_offsets") {
    fault::Threshold threshold;
    threshold.group = inside;
    const bool is_time = word == "lag";
    threshold.what = is_time ? fault::Threshold::What::lag : fault::Threshold::What::lag_offsets;
    if (inside.empty()) why_not = "names no group";
    if (inside.empty()) return std::nullopt;
    if (!rest.starts_with('>') || rest.starts_with(">=")) {
      why_not = "needs > and a limit";
      return std::nullopt;
    }
    const Scalar limit = read_scalar(trimmed(rest.substr(1)), is_time ? UnitKind::duration : UnitKind::none);
    if (!limit.value || *limit.value < 0) {
      why_not = "has no limit: it " + (limit.value ? "is negative" : limit.problem);
      return std::nullopt;
    }
    threshold.limit = *limit.value;
    return threshold;
  }
  const auto* known = std::find_if(std::begin(kMoments), std::end(kMoments),
                                   [word](const MomentWord& one) { return one.word == word; });
  if (known == std::end(kMoments) || !rest.empty()) return std::nullopt;
  fault::Moment moment;
  moment.what = known->what;
  if (inside.empty()) return moment;
  if (known->of == MomentWord::Of::nothing) {
    why_not = "is of nothing";
    return std::nullopt;
  }
  moment.of = inside;
  if (known->of == MomentWord::Of::group) return moment;
  if (const auto partition = read_partition(inside)) {
    moment.of = partition->topic;
    moment.partition = partition->partition;
  }
  return moment;
}

}  // namespace sim::scenario
