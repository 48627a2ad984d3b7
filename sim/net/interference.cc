#include "net/interference.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "net/retransmission.h"

namespace sim::net {

bool Pairs::empty() const {
  return std::find(has_.begin(), has_.end(), true) == has_.end();
}

RuleId Interference::add(Pairs pairs, std::variant<Cut, Slow, Lossy> what) {
  const RuleId id{next_++};
  rules_.push_back(Rule{id, std::move(pairs), std::move(what)});
  return id;
}

RuleId Interference::cut(Pairs pairs) {
  return add(std::move(pairs), Cut{});
}

RuleId Interference::delay(Pairs pairs, Distribution by, const Rng& rng) {
  return add(std::move(pairs), Slow{std::move(by), rng});
}

RuleId Interference::lose(Pairs pairs, std::int32_t per_million, const Rng& rng) {
  SIM_CHECK(per_million >= 0 && per_million <= 1'000'000, "a probability is at most 1");
  return add(std::move(pairs), Lossy{static_cast<std::uint64_t>(per_million), rng});
}

void Interference::lift(RuleId rule) {
  std::erase_if(rules_, [rule](const Rule& one) { return one.id == rule; });
}

std::int64_t Interference::touched(RuleId rule) const {
  const auto found =
      std::find_if(rules_.begin(), rules_.end(), [rule](const Rule& one) { return one.id == rule; });
  SIM_CHECK(found != rules_.end(), "only rules in force are asked about");
  return found->touched;
}

bool Interference::cuts(Endpoint from, Endpoint to) const {
  return std::any_of(rules_.begin(), rules_.end(), [from, to](const Rule& rule) {
    return std::holds_alternative<Cut>(rule.what) && rule.pairs.contains(from, to);
  });
}

void Interference::count_stopped(Endpoint from, Endpoint to) {
  for (Rule& rule : rules_) {
    if (std::holds_alternative<Cut>(rule.what) && rule.pairs.contains(from, to)) ++rule.touched;
  }
}

Duration Interference::hindrance(Endpoint from, Endpoint to, Duration first_timeout) {
  Duration sum{};
  for (Rule& rule : rules_) {
    if (!rule.pairs.contains(from, to)) continue;
    const Duration more = hindrance(rule, first_timeout);
    if (more > Duration{0}) ++rule.touched;
    sum += more;
  }
  return sum;
}

Duration Interference::hindrance(Rule& rule, Duration first_timeout) {
  return std::visit(
      Overloaded{
          [](Cut&) { return Duration{0}; },
          [](Slow& slow) { return Duration{std::max<std::int64_t>(0, slow.by.sample(slow.rng))}; },
          [&](Lossy& lossy) {
            Duration late{0};
            for (int nth = 0; nth < kRetransmissions; ++nth) {
              if (!lossy.rng.bernoulli(lossy.per_million, 1'000'000)) break;
              late += retransmission_timeout(nth, first_timeout);
            }
            return late;
          },
      },
      rule.what);
}

}  // namespace sim::net
