#include "app/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <utility>

#include "app/commands.h"
#include "app/say.h"
#include "app/signals.h"
#include "base/human.h"
#include "play/run.h"
#include "scenario/files.h"
#include "scenario/units.h"

namespace sim::app {
namespace {

constexpr std::int64_t kMostRttNs = 1'000'000'000;
constexpr std::int64_t kLeastRttNs = 20'000;
constexpr std::int64_t kMostOthersPercent = 90;
constexpr std::int64_t kLeastPauseNs = 10'000;  // as good as none
constexpr std::int64_t kMostPauseNs = 4'000'000'000;
constexpr int kRounds = 4;
constexpr int kHalvings = 9;

std::string duration_text(std::int64_t ns) {
  return scenario::print_scalar(ns, scenario::UnitKind::duration);
}

// One that looks as if a person had written it: two digits.
std::int64_t two_digits(std::int64_t value) {
  std::int64_t unit = 1;
  while (value / unit >= 100) unit *= 10;
  return (value + unit / 2) / unit * unit;
}

// REQUIRES: value > 0
std::int64_t square_root(std::int64_t value) {
  std::int64_t root = value, next = (value + 1) / 2;
  while (next < root) {
    root = next;
    next = (root + value / root) / 2;
  }
  return root;
}

std::string spread_text(std::int64_t p50, std::int64_t spread) {
  return "{p50: " + duration_text(p50) + ", p99: " + duration_text(p50 * spread) + "}";
}

}  // namespace

std::vector<scenario::Override> overrides_of(const Tuning& tuning) {
  return {
      {"cluster.network.rtt", spread_text(tuning.rtt_ns, Tuning::kRttSpread)},
      {"cluster.cpu.cores", "2"},
      {"cluster.cpu.others.share", fixed(tuning.others_percent, 2)},
      {"cluster.cpu.others.burst", "{p50: 1ms, p99: 4ms}"},
      {"cluster.cpu.pauses.interval", "{p50: 2s, p99: 8s}"},
      {"cluster.cpu.pauses.length",
       tuning.pause_ns == 0 ? "0s" : spread_text(tuning.pause_ns, Tuning::kPauseSpread)},
  };
}

bool fits_percentiles(const Percentiles& found, const Percentiles& wanted) {
  constexpr std::int64_t kNoticeableNs = 100'000;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::abs(found[i] - wanted[i]) > std::max(kNoticeableNs, wanted[i] / 10)) return false;
  }
  return true;
}

Calibration calibrate_to(const Percentiles& wanted, const std::function<Percentiles(const Tuning&)>& play) {
  Calibration best;
  std::int64_t least_off = -1;
  const auto try_out = [&](const Tuning& tuning) {
    const Percentiles found = play(tuning);
    ++best.worlds;
    std::int64_t off = 0;  // the worst of the three, in thousandths
    for (std::size_t i = 0; i < wanted.size(); ++i)
      off = std::max(off, std::abs(found[i] - wanted[i]) * 1'000 / std::max<std::int64_t>(1, wanted[i]));
    if (least_off < 0 || off < least_off) {
      least_off = off;
      best.tuning = tuning;
      best.found = found;
    }
    return found;
  };
  struct Knob {
    std::int64_t Tuning::*value;
    std::int64_t least;
    std::int64_t most;
    std::size_t percentile;
  };
  const Knob knobs[] = {{&Tuning::rtt_ns, kLeastRttNs, kMostRttNs, 0},
                        {&Tuning::others_percent, 0, kMostOthersPercent, 1},
                        {&Tuning::pause_ns, kLeastPauseNs, kMostPauseNs, 2}};
  Tuning now;
  for (int round = 0; round < kRounds && !(least_off >= 0 && fits_percentiles(best.found, wanted)); ++round) {
    for (const Knob& knob : knobs) {
      // More of it makes the percentile grow: halve what is left, of times their ratio.
      std::int64_t low = knob.least, high = knob.most;
      const bool is_time = knob.value != &Tuning::others_percent;
      for (int i = 0; i < kHalvings; ++i) {
        const std::int64_t middle = is_time ? two_digits(square_root(low * high)) : (low + high) / 2;
        if (middle <= low || middle >= high) break;
        now.*knob.value = middle;
        (try_out(now)[knob.percentile] < wanted[knob.percentile] ? low : high) = middle;
      }
      now.*knob.value = low;
    }
    try_out(now);
    now = best.tuning;
  }
  best.fits = fits_percentiles(best.found, wanted);
  return best;
}

Result<Percentiles> played_percentiles(const std::string& scenario_file,
                                       std::vector<scenario::Override> overrides,
                                       const std::array<std::string, 3>& statistics) {
  std::string expected;
  for (const std::string& one : statistics)
    expected += fmt::format("{}{{id: {}, metric: produce_latency, {}: \">= 0ms\"}}",
                            expected.empty() ? "[" : ", ", "of-" + std::to_string(expected.size()), one);
  overrides.push_back({"expect", expected + "]"});
  const Result<scenario::Scenario> loaded = scenario::load(scenario_file, overrides);
  if (!loaded) return loaded.problems();
  const judge::Summary summary = play::Run(*loaded).finish();
  Percentiles result{};
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = summary.expectations[i].measured.value.value_or(0);
  return result;
}

namespace {

std::string percentiles_line(const char* label, const std::vector<MeasuredPercentile>& names,
                             const Percentiles& values) {
  std::string line = fmt::format("{:<10}", label);
  for (std::size_t i = 0; i < values.size(); ++i)
    line += fmt::format("{} {:<12}", names[i].name, human_duration(values[i]));
  while (line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::string as_yaml(const Tuning& tuning) {
  std::string text = "cluster:\n";
  text += "  network: {rtt: " + spread_text(tuning.rtt_ns, Tuning::kRttSpread) + "}\n";
  text += "  cpu:\n";
  for (const scenario::Override& one : overrides_of(tuning)) {
    constexpr std::string_view kCpu = "cluster.cpu.";
    if (!one.path.starts_with(kCpu)) continue;
    const std::string key = one.path.substr(kCpu.size());
    if (key == "pauses.interval") {
      text += "    pauses: {interval: " + one.value;
    } else if (key == "pauses.length") {
      text += ", length: " + one.value + "}\n";
    } else {
      text += "    " + key + ": " + one.value + "\n";
    }
  }
  return text;
}

}  // namespace

int calibrate_command(const CalibrateOptions& options, const Terminal& terminal) {
  constexpr std::size_t kMostBytes = std::size_t{512} << 20;
  std::string text, why_not;
  if (!scenario::read_file(options.file, kMostBytes, text, why_not)) {
    Problem problem;
    problem.file = options.file;
    problem.message = why_not;
    return refuse({problem}, terminal);
  }
  const Result<MeasuredLatencies> measured = parse_latencies(text, options.file, options.format);
  if (!measured) return refuse(measured.problems(), terminal);
  std::vector<scenario::Override> given = options.overrides;
  if (measured->orders_per_second && options.scenario == kCalibrationScenario)
    given.insert(given.begin(),
                 {"clients.order-service.arrivals.constant",
                  std::to_string(std::max<std::int64_t>(1, *measured->orders_per_second)) + "/s"});
  std::array<std::string, 3> statistics;
  Percentiles wanted{};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    statistics[i] = measured->percentiles[i].name;
    wanted[i] = measured->percentiles[i].ns;
  }
  listen_to_signals();
  Problems problems;
  const auto play_tuned = [&](const Tuning& tuning) {
    std::vector<scenario::Override> all = given;
    for (scenario::Override& one : overrides_of(tuning)) all.push_back(std::move(one));
    const Result<Percentiles> played = interrupted_by() == 0 && problems.empty()
                                           ? played_percentiles(options.scenario, std::move(all), statistics)
                                           : Result<Percentiles>(Percentiles{});
    if (!played) problems = played.problems();
    return played ? *played : Percentiles{};
  };
  const Calibration result = calibrate_to(wanted, play_tuned);
  if (!problems.empty()) return refuse(problems, terminal);
  if (interrupted_by() != 0)
    return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  std::string out = percentiles_line("measured", measured->percentiles, wanted);
  out += percentiles_line("simulated", measured->percentiles, result.found);
  out += fmt::format("\n# {} worlds of {} were played; put this into your scenario\n", result.worlds,
                     options.scenario);
  out += as_yaml(result.tuning);
  out +=
      "# The disk is as it was: an acknowledgement waits for no fsync. Latencies alone do not tell network "
      "from\n"
      "# processor: this is one way to have them, not the only one.\n";
  if (!result.fits) out += "# These percentiles could not all be had within a tenth.\n";
  print(stdout, out);
  return number(result.fits ? ExitCode::held : ExitCode::inconclusive);
}

}  // namespace sim::app
