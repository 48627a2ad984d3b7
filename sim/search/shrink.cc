#include "search/shrink.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/human.h"
#include "play/run.h"
#include "scenario/units.h"

namespace sim::search {
namespace {

using scenario::Draft;
using scenario::DraftPath;
using scenario::UnitKind;

std::optional<std::int64_t> number_at(const Draft& draft, const DraftPath& path, UnitKind unit) {
  const std::optional<std::string> text = draft.get(path);
  return text ? scenario::read_scalar(*text, unit).value : std::nullopt;
}

class Shrinking {
 public:
  Shrinking(const scenario::Scenario& original, const judge::Summary& summary, const ShrinkOptions& options)
      : options_(options),
        file_(original.file),
        draft_(original),
        best_(summary),
        wanted_(judge::signatures_of(summary).front()) {
    // What follows from the rest is left to follow from it.
    for (const char* key : {"event.budget", "about", "name"}) {
      if (draft_.has({key})) draft_.remove({key});
    }
  }

  Shrunk smallest() {
    bool has_changed = true;
    while (has_changed && !is_over_) {
      has_changed = false;
      for (const auto pass :
           {&Shrinking::fewer_expectations, &Shrinking::fewer_faults, &Shrinking::earlier_end,
            &Shrinking::fewer_orders, &Shrinking::fewer_clients, &Shrinking::fewer_servers,
            &Shrinking::shorter_faults, &Shrinking::rounder_faults, &Shrinking::fewer_fault_pairs,
            &Shrinking::fewer_faults_by_name}) {
        has_changed = (this->*pass)() || has_changed;
      }
    }
    Shrunk shrunk{scenario::without_defaults(draft_, file_), std::move(best_), wanted_, plays_, !is_over_};
    return shrunk;
  }

 private:
  // Whether it still fails in the same way; then it is the draft from here on.
  bool attempt(const Draft& candidate) {
    const std::size_t faults = draft_.below({"faults"}).size();
    is_over_ = is_over_ || plays_ >= options_.most_plays || !options_.goes_on({plays_, faults});
    if (is_over_) return false;
    const Result<scenario::Scenario> scenario = candidate.load(file_);
    if (!scenario) return false;
    ++plays_;
    judge::Summary summary = play::Run(*scenario).finish();
    const std::vector<judge::Signature> found = judge::signatures_of(summary);
    if (std::find(found.begin(), found.end(), wanted_) == found.end()) return false;
    draft_ = candidate;
    best_ = std::move(summary);
    return true;
  }

  bool without(const DraftPath& path) {
    if (!draft_.has(path)) return false;
    Draft candidate = draft_;
    candidate.remove(path);
    return attempt(candidate);
  }
  bool with(const DraftPath& path, std::string value) {
    if (draft_.get(path) == std::optional(value) || !draft_.has(path)) return false;
    Draft candidate = draft_;
    candidate.set(path, std::move(value));
    return attempt(candidate);
  }

  // Items of a list: halves, quarters, ... single ones.
  bool fewer_of(const char* list) {
    bool has_changed = false;
    for (std::size_t chunk = std::max<std::size_t>(draft_.below({list}).size() / 2, 1); chunk != 0;
         chunk /= 2) {
      for (std::size_t end = draft_.below({list}).size(); end != 0 && !is_over_;) {
        const std::size_t from = end > chunk ? end - chunk : 0;
        Draft candidate = draft_;
        for (std::size_t i = end; i-- > from;) candidate.remove({list, std::to_string(i)});
        has_changed = attempt(candidate) || has_changed;
        end = from;
      }
    }
    return has_changed;
  }

  bool fewer_faults() { return fewer_of("faults"); }

  // Two that only make up for each other.
  bool fewer_fault_pairs() {
    constexpr std::size_t kMostTried = 8;
    const std::size_t count = draft_.below({"faults"}).size();
    if (count < 3 || count > kMostTried) return false;
    for (std::size_t later = count - 1; later > 0; --later) {
      for (std::size_t earlier = later; earlier-- > 0 && !is_over_;) {
        Draft candidate = draft_;
        candidate.remove({"faults", std::to_string(later)});
        candidate.remove({"faults", std::to_string(earlier)});
        if (attempt(candidate)) return true;
      }
    }
    return false;
  }

  // Some faults do no more than move a role to the server that a later one hits. Once every fault names the
  // server that it hit, at the instant at which it did, they may be left out; if none may, roles are told
  // better than names.
  bool fewer_faults_by_name() {
    const std::size_t count = draft_.below({"faults"}).size();
    if (count < 2) return false;
    const Draft with_roles = draft_;
    const judge::Summary summary_with_roles = best_;
    const Draft named = by_name();
    if (named.text() == draft_.text()) return false;
    if (!attempt(named) || !(fewer_faults() || fewer_fault_pairs())) {
      draft_ = with_roles;
      best_ = summary_with_roles;
      return false;
    }
    return true;
  }

  // REQUIRES: best_ is of a run of the draft
  Draft by_name() const {
    Draft named = draft_;
    for (std::size_t i = 0; i < best_.faults.size(); ++i) {
      const judge::FaultReport& fault = best_.faults[i];
      const std::string place = std::to_string(i);
      if (fault.strikes.size() != 1) continue;
      const judge::FaultReport::Strike& strike = fault.strikes.front();
      for (const char* key : {"target", "isolate"}) {
        const DraftPath path{"faults", place, fault.kind, key};
        if (strike.touched.size() == 1 && named.get(path)) named.set(path, strike.touched.front());
      }
      if (!named.has({"faults", place, "when"})) continue;
      for (const char* key : {"when", "wait"}) {
        if (named.has({"faults", place, key})) named.remove({"faults", place, key});
      }
      named.set({"faults", place, "at"}, scenario::print_scalar(strike.from_ns, UnitKind::duration));
    }
    return named;
  }

  // Only the one that fails, unless an invariant does.
  bool fewer_expectations() {
    if (draft_.below({"expect"}).size() <= 1) return false;
    Draft candidate = draft_;
    for (std::size_t i = draft_.below({"expect"}).size(); i-- > 0;) {
      const std::string place = std::to_string(i);
      if (draft_.get({"expect", place, "id"}) != std::optional(wanted_.what))
        candidate.remove({"expect", place});
    }
    return attempt(candidate) || fewer_of("expect");
  }

  // Halves what lies between a value and the least it may be, as long as that works.
  bool lower(const DraftPath& path, UnitKind unit, std::int64_t least, std::int64_t step) {
    bool has_changed = false;
    while (!is_over_) {
      const std::optional<std::int64_t> now = number_at(draft_, path, unit);
      if (!now || *now <= least) break;
      const std::int64_t next = std::max(least, (least + (*now - least) / 2) / step * step);
      if (next >= *now || !with(path, scenario::print_scalar(next, unit))) break;
      has_changed = true;
    }
    return has_changed;
  }

  // Faults and clients come earlier, so that the end may.
  bool earlier_end() {
    constexpr std::int64_t kSecond = 1'000'000'000;
    bool has_changed = without({"drain"});
    has_changed = without({"then"}) || has_changed;
    has_changed = with({"warmup"}, "0s") || has_changed;
    has_changed = lower({"duration"}, UnitKind::duration, kSecond, kSecond) || has_changed;
    for (const std::string& place : draft_.below({"faults"}))
      has_changed = lower({"faults", place, "at"}, UnitKind::duration, kSecond, kSecond) || has_changed;
    const auto now = number_at(draft_, {"duration"}, UnitKind::duration);
    const std::int64_t next = now ? *now * 3 / 4 / kSecond * kSecond : 0;
    if (next < kSecond) return has_changed;
    return with({"duration"}, scenario::print_scalar(next, UnitKind::duration)) || has_changed;
  }

  bool fewer_orders() {
    bool has_changed = false;
    for (const std::string& client : draft_.below({"clients"})) {
      for (const std::string& kind : draft_.below({"clients", client, "arrivals"}))
        has_changed =
            lower({"clients", client, "arrivals", kind}, UnitKind::rate, 1'000, 1'000) || has_changed;
    }
    return has_changed;
  }

  bool fewer_clients() {
    bool has_changed = false;
    for (const std::string& client : draft_.below({"clients"})) {
      if (without({"clients", client})) {
        has_changed = true;
      } else {
        has_changed = lower({"clients", client, "members"}, UnitKind::none, 1, 1) || has_changed;
      }
    }
    return has_changed;
  }

  bool fewer_servers() {
    bool has_changed = false;
    for (const std::string& topic : draft_.below({"topics"})) {
      has_changed = without({"topics", topic}) || has_changed;
      has_changed = lower({"topics", topic, "partitions"}, UnitKind::none, 1, 1) || has_changed;
    }
    has_changed = lower({"cluster", "controllers"}, UnitKind::none, 1, 1) || has_changed;
    return lower({"cluster", "brokers"}, UnitKind::none, 1, 1) || has_changed;
  }

  bool shorter_faults() {
    constexpr std::int64_t kLeast = 100'000'000;
    bool has_changed = false;
    for (const std::string& place : draft_.below({"faults"}))
      has_changed = lower({"faults", place, "for"}, UnitKind::duration, kLeast, kLeast) || has_changed;
    return has_changed;
  }

  // Whole seconds are read more easily.
  bool rounder_faults() {
    constexpr std::int64_t kSecond = 1'000'000'000;
    bool has_changed = false;
    for (const std::string& place : draft_.below({"faults"})) {
      for (const char* key : {"at", "for"}) {
        const DraftPath path{"faults", place, key};
        const auto now = number_at(draft_, path, UnitKind::duration);
        if (!now || *now % kSecond == 0 || *now < kSecond) continue;
        has_changed =
            with(path, scenario::print_scalar(*now / kSecond * kSecond, UnitKind::duration)) || has_changed;
      }
    }
    return has_changed;
  }

  const ShrinkOptions& options_;
  std::string file_;
  Draft draft_;
  judge::Summary best_;
  judge::Signature wanted_;
  std::uint64_t plays_ = 0;
  bool is_over_ = false;
};

std::string at_text(std::int64_t ns) {
  return padded_right(fixed(ns / 1'000'000, 3) + " s", 12);
}

}  // namespace

std::string Shrunk::text() const {
  std::vector<std::pair<std::int64_t, std::string>> story;
  for (const judge::FaultReport& fault : summary.faults) {
    for (const judge::FaultReport::Strike& strike : fault.strikes) {
      std::string whom = joined(strike.touched, ", ");
      if (!fault.role.empty()) whom += " (" + fault.role + ")";
      story.emplace_back(strike.from_ns, fault.name + " strikes: " + fault.kind + ", " + whom);
      if (strike.to_ns < nanos(summary.end.end)) story.emplace_back(strike.to_ns, fault.name + " is over");
    }
  }
  for (const judge::OutcomeVerdict& outcome : summary.outcomes) {
    const judge::VerdictCase& first = outcome.cases.front();
    std::string line = outcome.word + ", " + human_count(outcome.cases.size()) +
                       (outcome.of_orders() ? " orders" : " partitions") + ": " +
                       (outcome.service.empty() ? "" : outcome.service + ": ") + joined(outcome.first, ", ");
    if (!first.cause.empty()) line += "; " + first.cause;
    story.emplace_back(first.at, std::move(line));
  }
  for (const check::Violation& violation : summary.violations)
    story.emplace_back(nanos(violation.at), "invariant " + violation.invariant + ": " + violation.what);
  std::stable_sort(story.begin(), story.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = "# " + judge::text_of(signature) + "\n#\n# What happens with seed " +
                     std::to_string(summary.seed) + ":\n";
  for (const auto& [at, line] : story) {
    std::string plain = line;
    std::replace(plain.begin(), plain.end(), '\n', ' ');
    text += "#   " + at_text(at) + plain + "\n";
  }
  return text + draft.text();
}

std::optional<Shrunk> shrink(const scenario::Scenario& scenario, const judge::Summary& summary,
                             const ShrinkOptions& options) {
  if (judge::signatures_of(summary).empty()) return std::nullopt;
  return Shrinking(scenario, summary, options).smallest();
}

}  // namespace sim::search
