#include "workload/arrivals.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/fixed_math.h"
#include "base/int128.h"
#include "base/overloaded.h"

namespace sim::workload {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNanosPerMilliRate = 1'000'000'000'000;  // at a rate of one thousandth per second

// A stretch of time from now on, and the highest rate in it.
struct Stretch {
  std::int64_t end;
  MilliRate highest;
};

Stretch stretch_from(const PoissonArrivals& arrivals, std::int64_t) {
  return {kNever, arrivals.rate};
}

Stretch stretch_from(const RampArrivals& arrivals, std::int64_t now) {
  if (now >= nanos(arrivals.over)) return {kNever, arrivals.to};
  return {nanos(arrivals.over), std::max(arrivals.from, arrivals.to)};
}

Stretch stretch_from(const BurstArrivals& arrivals, std::int64_t now) {
  const std::int64_t every = nanos(arrivals.every);
  const std::int64_t begin = now - now % every;
  const std::int64_t burst_end = begin + std::min(every, nanos(arrivals.length));
  if (now < burst_end) return {burst_end, arrivals.peak};
  return {begin + every, arrivals.base};
}

// Eighths of a day, so that the quiet hours do not pay for the busy ones.
Stretch stretch_from(const DailyArrivals& arrivals, std::int64_t now) {
  const std::int64_t day = nanos(arrivals.day);
  const auto boundary = [&](std::int64_t eighths) {
    return nanos(arrivals.peak_at) + static_cast<std::int64_t>(int128{day} * eighths / 8);
  };
  auto eighths = static_cast<std::int64_t>(int128{now - nanos(arrivals.peak_at)} * 8 / day);
  while (boundary(eighths) > now) --eighths;
  while (boundary(eighths + 1) <= now) ++eighths;
  const std::int64_t end = boundary(eighths + 1);
  return {end, std::max(rate_at(arrivals, now), rate_at(arrivals, end))};  // the peak is a boundary
}

// The time until the next candidate at this rate; kNever if that is beyond all time.
std::int64_t exponential_gap(MilliRate rate, Rng& rng) {
  std::uint64_t u = rng.next();
  while (u == 0) u = rng.next();
  const uint128 gap = ((uint128{neg_ln_q58(u)} * static_cast<std::uint64_t>(kNanosPerMilliRate)) /
                           static_cast<std::uint64_t>(rate) +
                       (uint128{1} << 57)) >>
                      58;
  return gap > static_cast<uint128>(kNever) ? kNever : static_cast<std::int64_t>(gap);
}

}  // namespace

MilliRate rate_at(const PoissonArrivals& arrivals, std::int64_t) {
  return arrivals.rate;
}

MilliRate rate_at(const RampArrivals& arrivals, std::int64_t at_ns) {
  if (at_ns >= nanos(arrivals.over)) return arrivals.to;
  return arrivals.from +
         static_cast<MilliRate>(int128{arrivals.to - arrivals.from} * at_ns / nanos(arrivals.over));
}

MilliRate rate_at(const BurstArrivals& arrivals, std::int64_t at_ns) {
  return at_ns % nanos(arrivals.every) < nanos(arrivals.length) ? arrivals.peak : arrivals.base;
}

MilliRate rate_at(const DailyArrivals& arrivals, std::int64_t at_ns) {
  const std::int64_t day = nanos(arrivals.day);
  std::int64_t after_peak = (at_ns - nanos(arrivals.peak_at)) % day;
  if (after_peak < 0) after_peak += day;
  const std::int64_t from_peak = std::min(after_peak, day - after_peak);  // at most half a day
  // x from 0 at the trough to 1 at the peak, with 30 fractional bits.
  constexpr std::int64_t kOne = std::int64_t{1} << 30;
  const std::int64_t x = kOne - static_cast<std::int64_t>(int128{2 * kOne} * from_peak / day);
  const std::int64_t smooth = (((x * x) >> 30) * (3 * kOne - 2 * x)) >> 30;
  return arrivals.low + static_cast<MilliRate>((int128{arrivals.high - arrivals.low} * smooth) >> 30);
}

ArrivalProcess::ArrivalProcess(Arrivals arrivals, Rng rng) : arrivals_(std::move(arrivals)), rng_(rng) {
  const auto* burst = std::get_if<BurstArrivals>(&arrivals_);
  SIM_CHECK(burst == nullptr || burst->every > Duration{0}, "bursts come every so often");
  const auto* daily = std::get_if<DailyArrivals>(&arrivals_);
  SIM_CHECK(daily == nullptr || daily->day > Duration{0}, "a day takes time");
  const auto* trace = std::get_if<TraceArrivals>(&arrivals_);
  SIM_CHECK(trace == nullptr || trace->orders != nullptr, "the trace was read when the scenario was loaded");
}

std::optional<std::int64_t> ArrivalProcess::next() {
  return std::visit(Overloaded{
                        [this](const ConstantArrivals& kind) { return next_constant(kind.rate); },
                        [this](const TraceArrivals& kind) { return next_recorded(kind); },
                        [this](const auto& kind) { return next_random(kind); },
                    },
                    arrivals_);
}

std::optional<std::int64_t> ArrivalProcess::next_constant(MilliRate rate) {
  if (rate == 0) return std::nullopt;
  const int128 at = int128{count_++} * kNanosPerMilliRate / rate;
  if (at > kNever) return std::nullopt;
  return static_cast<std::int64_t>(at);
}

std::optional<std::int64_t> ArrivalProcess::next_recorded(const TraceArrivals& trace) {
  const auto index = static_cast<std::size_t>(count_++);
  if (index >= trace.orders->size()) return std::nullopt;
  return (*trace.orders)[index].at_ns;
}

template <class Kind>
std::optional<std::int64_t> ArrivalProcess::next_random(const Kind& kind) {
  while (now_ != kNever) {
    const Stretch stretch = stretch_from(kind, now_);
    const std::int64_t gap = stretch.highest == 0 ? kNever : exponential_gap(stretch.highest, rng_);
    if (gap >= stretch.end - now_) {
      now_ = stretch.end;
      continue;
    }
    now_ += gap;
    const MilliRate rate = rate_at(kind, now_);
    if (rate == stretch.highest) return now_;
    if (rng_.below(static_cast<std::uint64_t>(stretch.highest)) < static_cast<std::uint64_t>(rate))
      return now_;
  }
  return std::nullopt;
}

}  // namespace sim::workload
