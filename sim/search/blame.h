#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge/signature.h"
#include "judge/summary.h"
#include "scenario/scenario.h"

// What made a run end as it did: the same run without each of its faults, and with each setting that protects
// from failures, or is part of them, changed. All else draws the same numbers, so what differs is due to the
// change.
namespace sim::search {

// What is changed in one of the other runs.
struct Counterfactual {
  enum class What : std::uint8_t { without_fault, with_setting };
  What what = What::without_fault;
  std::size_t fault = 0;         // without which: its place in the scenario
  scenario::Override setting{};  // with which
  std::string text;              // "without crash", "clients.order-service.config.acks=all"
  std::string section{};         // of a setting: what its name begins with, "clients.order-service.config"
  std::optional<scenario::Override> also{};  // a setting without which this one would mean nothing
};

// As much of a run's result as two of them are held against each other by.
struct Ending {
  judge::Verdict verdict = judge::Verdict::inconclusive;
  std::vector<std::string> signatures;             // of what failed
  std::map<std::string, std::uint64_t> anomalies;  // LOST(acked) -> orders
  bool is_known = true;                            // false: such a run cannot be, or its process died
};
Ending ending_of(const judge::Summary& summary);

enum class Effect : std::uint8_t {
  gone,   // the result is another: what failed holds, or what was to be shown is not
  other,  // it still fails, and in another way
  same,
  unknown,
};
const char* name(Effect effect);

struct Blamed {
  Counterfactual change;
  Ending ending;
  Effect effect = Effect::same;
};
struct BlameReport {
  Ending as_it_is;
  std::vector<Blamed> changes;  // those that make a difference first, faults before settings
};

// What there is to change in a scenario: every fault, then settings that are not as they protect best.
std::vector<Counterfactual> counterfactuals_of(const scenario::Scenario& scenario);

struct BlameSpec {
  std::string file;
  std::vector<scenario::Override> overrides;  // the seed among them
  std::size_t jobs = 1;
  std::function<bool()> goes_on = [] { return true; };  // several times a second
};
BlameReport blame(const scenario::Scenario& scenario, const BlameSpec& spec);

std::string to_text(const scenario::Scenario& scenario, const BlameReport& report);

}  // namespace sim::search
