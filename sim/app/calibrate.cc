#include "app/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
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

Result<std::vector<std::int64_t>> played_statistics(const std::string& scenario_file,
                                                    std::vector<scenario::Override> overrides,
                                                    const std::vector<std::string>& statistics) {
  std::string expected;
  for (const std::string& one : statistics)
    expected += fmt::format("{}{{id: {}, metric: produce_latency, {}: \">= 0ms\"}}",
                            expected.empty() ? "[" : ", ", "of-" + std::to_string(expected.size()), one);
  overrides.push_back({"expect", expected + "]"});
  const Result<scenario::Scenario> loaded = scenario::load(scenario_file, overrides);
  if (!loaded) return loaded.problems();
  const judge::Summary summary = play::Run(*loaded).finish();
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < statistics.size(); ++i)
    result.push_back(summary.expectations[i].measured.value.value_or(0));
  return result;
}

std::vector<scenario::Override> overrides_of_load(const MeasuredLatencies& measured) {
  if (!measured.orders_per_second) return {};
  constexpr std::int64_t kOrders = 40'000;  // of a world: 40 of them lie beyond p99.9
  constexpr std::int64_t kWarmupS = 2, kLeastS = 4, kMostS = 40;
  const std::int64_t rate = std::max<std::int64_t>(1, *measured.orders_per_second);
  const std::int64_t seconds = kWarmupS + std::clamp(kOrders / rate, kLeastS, kMostS);
  std::vector<scenario::Override> overrides{
      {"clients.order-service.arrivals.constant", std::to_string(rate) + "/s"},
      {"clients.order-service.key", "none"},
      {"duration", std::to_string(seconds) + "s"}};
  if (measured.record_bytes)
    overrides.push_back({"clients.order-service.record.size", std::to_string(*measured.record_bytes) + "B"});
  return overrides;
}

namespace {

std::string statistics_line(const char* label, const std::vector<MeasuredPercentile>& statistics) {
  std::string line = fmt::format("{:<10}", label);
  for (const MeasuredPercentile& one : statistics)
    line += fmt::format("{} {:<12}", one.name, human_duration(one.ns));
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

namespace {

// What was measured and not fitted, beside what a world of the settings that were found has of it.
std::optional<Problems> add_not_fitted(const CalibrateOptions& options, std::vector<scenario::Override> given,
                                       const Tuning& tuning, const MeasuredLatencies& measured,
                                       std::vector<MeasuredPercentile>& asked,
                                       std::vector<MeasuredPercentile>& reached) {
  if (measured.not_fitted.empty()) return std::nullopt;
  std::vector<std::string> statistics;
  for (const MeasuredPercentile& one : measured.not_fitted) statistics.push_back(one.name);
  for (scenario::Override& one : overrides_of(tuning)) given.push_back(std::move(one));
  const Result<std::vector<std::int64_t>> played =
      played_statistics(options.scenario, std::move(given), statistics);
  if (!played) return played.problems();
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    asked.push_back(measured.not_fitted[i]);
    reached.push_back({statistics[i], (*played)[i]});
  }
  return std::nullopt;
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
  std::vector<scenario::Override> given;
  if (options.scenario == kCalibrationScenario) given = overrides_of_load(*measured);
  given.insert(given.end(), options.overrides.begin(), options.overrides.end());
  std::vector<std::string> statistics;
  Percentiles wanted{};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    statistics.push_back(measured->percentiles[i].name);
    wanted[i] = measured->percentiles[i].ns;
  }
  listen_to_signals();
  Problems problems;
  const auto play_tuned = [&](const Tuning& tuning) {
    std::vector<scenario::Override> all = given;
    for (scenario::Override& one : overrides_of(tuning)) all.push_back(std::move(one));
    if (interrupted_by() != 0 || !problems.empty()) return Percentiles{};
    const Result<std::vector<std::int64_t>> played =
        played_statistics(options.scenario, std::move(all), statistics);
    Percentiles percentiles{};
    if (played) {
      std::copy(played->begin(), played->end(), percentiles.begin());
    } else {
      problems = played.problems();
    }
    return percentiles;
  };
  const Calibration result = calibrate_to(wanted, play_tuned);
  if (!problems.empty()) return refuse(problems, terminal);
  if (interrupted_by() != 0)
    return number(interrupted_by() == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
  std::vector<MeasuredPercentile> asked = measured->percentiles, reached = asked;
  for (std::size_t i = 0; i < wanted.size(); ++i) reached[i].ns = result.found[i];
  if (const auto failed = add_not_fitted(options, given, result.tuning, *measured, asked, reached))
    return refuse(*failed, terminal);
  std::string out = statistics_line("measured", asked) + statistics_line("simulated", reached);
  if (!measured->not_fitted.empty())
    out += "# Fitted were the first three; the others are what came of it.\n";
  if (measured->orders_per_second)
    out += fmt::format("# Played with {} orders a second{}, without keys.\n", *measured->orders_per_second,
                       measured->record_bytes ? fmt::format(" of {} bytes", *measured->record_bytes) : "");
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
