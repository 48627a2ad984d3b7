#include "search/pinpoint.h"

#include <algorithm>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/human.h"
#include "play/run.h"
#include "sweep/workers.h"

namespace sim::search {
namespace {

constexpr int kRefinements = 3;

class Pinpointing {
 public:
  Pinpointing(const scenario::Scenario& scenario, const judge::Summary& summary, const PinpointSpec& spec)
      : scenario_(scenario), summary_(summary), spec_(spec) {}

  Pinpointed find() {
    const Duration whole = std::max(summary_.end.end - Instant{}, Duration{1});
    std::vector<Instant> instants;
    for (std::uint32_t i = 0; i < spec_.instants; ++i)
      instants.push_back(Instant{} +
                         whole / static_cast<std::int64_t>(spec_.instants) * static_cast<std::int64_t>(i));
    look_from(instants);
    for (int round = 0; round < kRefinements && spec_.goes_on(); ++round) {
      const auto [from, to] = bracket();
      const Duration gap = to - from;
      if (gap <= Duration{100'000'000}) break;
      look_from({from + gap / 4, from + gap / 2, from + gap / 4 * 3});
    }
    const auto [from, to] = bracket();
    found_.not_yet = from;
    found_.certain = to;
    tell_between();
    return std::move(found_);
  }

 private:
  // Between the last instant from which some future is without the failure and the first after it.
  std::pair<Instant, Instant> bracket() const {
    Instant from{}, to = summary_.end.end;
    for (const Moment& moment : found_.moments) {
      if (moment.failed < moment.of) from = std::max(from, moment.at);
    }
    for (const Moment& moment : found_.moments) {
      if (moment.failed == moment.of && moment.of != 0 && moment.at > from) to = std::min(to, moment.at);
    }
    return {from, to};
  }

  // The world is played once, with a stop at each instant; its futures in processes of their own, which begin
  // as copies of it.
  void look_from(const std::vector<Instant>& instants) {
    play::Run run(scenario_);
    for (const Instant at : instants) {
      if (!spec_.goes_on()) return;
      if (at > Instant{}) run.play_until(at);
      Moment moment{at, 0, 0};
      sweep::Workers workers(std::min<std::size_t>(spec_.jobs, spec_.futures), [&](const sweep::Task& task) {
        try {
          play::Run future = run;
          future.world().reseed(task.seed + 1);
          const std::vector<judge::Signature> signatures = judge::signatures_of(future.finish());
          const bool has_failed =
              std::any_of(signatures.begin(), signatures.end(), [this](const judge::Signature& one) {
                return one.what == spec_.signature.what && one.anomaly == spec_.signature.anomaly;
              });
          return std::string(has_failed ? "failed" : "held");
        } catch (const InternalError&) {
          return std::string("bug");
        } catch (const std::bad_alloc&) {
          return std::string("no memory");
        }
      });
      std::uint64_t next = 0;
      std::string why_not;
      while (spec_.goes_on()) {
        while (next < spec_.futures && workers.has_idle() && workers.start({0, next}, why_not)) ++next;
        if (!workers.has_busy()) break;
        constexpr int kLookEveryMs = 200;
        for (const sweep::Workers::Finished& one : workers.wait(kLookEveryMs)) {
          if (one.answer != "failed" && one.answer != "held") continue;
          ++moment.of;
          moment.failed += one.answer == "failed" ? 1 : 0;
        }
      }
      found_.moments.push_back(moment);
    }
    std::sort(found_.moments.begin(), found_.moments.end(),
              [](const Moment& a, const Moment& b) { return a.at < b.at; });
  }

  void tell_between() {
    constexpr std::int64_t kAround = 1'000'000'000;
    const std::int64_t from = nanos(found_.not_yet) - kAround, to = nanos(found_.certain) + kAround;
    std::vector<std::pair<std::int64_t, std::string>> lines;
    const auto tell = [&](std::int64_t at, std::string text) {
      if (at >= from && at <= to) lines.emplace_back(at, std::move(text));
    };
    found_.end = summary_.end.end;
    for (const judge::FaultReport& fault : summary_.faults) {
      for (const judge::FaultReport::Strike& strike : fault.strikes) {
        found_.faults.push_back(
            {fault.name, Instant{} + Duration{strike.from_ns}, Instant{} + Duration{strike.to_ns}});
        tell(strike.from_ns, fault.name + " strikes: " + fault.kind + ", " + joined(strike.touched, ", "));
        tell(strike.to_ns, fault.name + " is over");
      }
    }
    for (const judge::OutcomeVerdict& outcome : summary_.outcomes) {
      const judge::VerdictCase& first = outcome.cases.front();
      tell(first.at, "the first " + outcome.word + (first.cause.empty() ? "" : ": " + first.cause));
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [at, text] : lines) found_.between.push_back(fixed(at / 1'000'000, 3) + " s  " + text);
  }

  const scenario::Scenario& scenario_;
  const judge::Summary& summary_;
  const PinpointSpec& spec_;
  Pinpointed found_;
};

}  // namespace

Pinpointed pinpoint(const scenario::Scenario& scenario, const judge::Summary& summary,
                    const PinpointSpec& spec) {
  return Pinpointing(scenario, summary, spec).find();
}

std::string to_json(const scenario::Scenario& scenario, const PinpointSpec& spec, const Pinpointed& found) {
  nlohmann::ordered_json json{{"schema", "kraftsim-pinpoint/1"},
                              {"scenario", scenario.name},
                              {"seed", scenario.seed},
                              {"failure", judge::text_of(spec.signature)},
                              {"end_ns", nanos(found.end)},
                              {"not_yet_ns", nanos(found.not_yet)},
                              {"certain_ns", nanos(found.certain)}};
  json["moments"] = nlohmann::ordered_json::array();
  for (const Moment& moment : found.moments)
    json["moments"].push_back({{"at_ns", nanos(moment.at)}, {"failed", moment.failed}, {"of", moment.of}});
  json["faults"] = nlohmann::ordered_json::array();
  for (const Pinpointed::FaultSpan& fault : found.faults)
    json["faults"].push_back(
        {{"name", fault.name}, {"from_ns", nanos(fault.from)}, {"to_ns", nanos(fault.to)}});
  json["around"] = found.between;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string to_text(const scenario::Scenario& scenario, const PinpointSpec& spec, const Pinpointed& found) {
  std::string text = scenario.name + "   seed " + std::to_string(scenario.seed) + "   " +
                     judge::text_of(spec.signature) + "\nfrom          futures that fail\n";
  for (const Moment& moment : found.moments) {
    std::string bar;
    for (std::uint32_t i = 0; i < moment.of; ++i) bar += i < moment.failed ? "#" : ".";
    text += "  " + padded_right(fixed(nanos(moment.at) / 1'000'000, 3) + " s", 12) + bar + "  " +
            std::to_string(moment.failed) + " of " + std::to_string(moment.of) + "\n";
  }
  text += "it became certain between " + fixed(nanos(found.not_yet) / 1'000'000, 3) + " s and " +
          fixed(nanos(found.certain) / 1'000'000, 3) + " s";
  text += ", as far as " + std::to_string(spec.futures) + " futures from each instant can tell\n";
  if (!found.between.empty()) text += "around that\n";
  for (const std::string& line : found.between) text += "  " + line + "\n";
  return text;
}

}  // namespace sim::search
