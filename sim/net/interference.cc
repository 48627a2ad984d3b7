#include "net/interference.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/int128.h"
#include "base/overloaded.h"
#include "net/retransmission.h"

namespace sim::net {

bool Pairs::empty() const {
  return std::find(has_.begin(), has_.end(), true) == has_.end();
}

void Pairs::add(const Pairs& others) {
  for (std::size_t i = 0; i < has_.size(); ++i) has_[i] = has_[i] || others.has_[i];
}

RuleId Interference::add(Pairs pairs, What what) {
  const RuleId id{next_++};
  rules_.push_back(Rule{id, std::move(pairs), std::move(what)});
  return id;
}

RuleId Interference::cut(Pairs pairs) {
  return add(std::move(pairs), Cut{});
}

RuleId Interference::delay(Pairs pairs, DelaySpec by, const Rng& rng) {
  std::vector<std::int64_t> last(by.correlation_per_million == 0 ? 0 : pairs.size(), -1);
  return add(std::move(pairs), Slow{std::move(by), rng, std::move(last)});
}

RuleId Interference::lose(Pairs pairs, LossSpec loss, const Rng& rng) {
  SIM_CHECK(is_possible(loss), "a probability is at most 1");
  std::vector<bool> in_burst(loss.mean_burst == 1 ? 0 : pairs.size());
  return add(std::move(pairs), Lossy{loss, rng, std::move(in_burst)});
}

RuleId Interference::limit(Pairs out, Pairs in, std::int64_t bits_per_second) {
  SIM_CHECK(bits_per_second > 0, "nothing passes at no rate: that is a cut");
  Pairs both = out;
  both.add(in);
  const std::vector<Pipe> pipes(both.machines(), Pipe(bits_per_second));
  return add(std::move(both), Limited{std::move(in), std::move(out), pipes, pipes});
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

Duration Interference::hindrance(const Packet& packet) {
  Duration sum{};
  for (Rule& rule : rules_) {
    if (!rule.pairs.contains(packet.from, packet.to)) continue;
    const Duration more = hindrance(rule, packet);
    if (more > Duration{0}) ++rule.touched;
    sum = scaled(sum, 1, more);
  }
  return sum;
}

Duration Interference::hindrance(Rule& rule, const Packet& packet) {
  const std::size_t pair = rule.pairs.index(packet.from, packet.to);
  return std::visit(Overloaded{
                        [](Cut&) { return Duration{0}; },
                        [&](Slow& slow) { return slow.draw(pair); },
                        [&](Lossy& lossy) {
                          Duration late{0};
                          for (int nth = 0; nth < kRetransmissions; ++nth) {
                            if (!lossy.loses(pair, nth)) break;
                            late += retransmission_timeout(nth, packet.first_timeout);
                          }
                          return late;
                        },
                        [&](Limited& limited) { return limited.wait(packet); },
                    },
                    rule.what);
}

Duration Interference::Slow::draw(std::size_t pair) {
  std::int64_t delay = by.by.sample(rng);
  if (by.jitter > 0) delay += rng.between(-by.jitter, by.jitter + 1);
  delay = std::max<std::int64_t>(0, delay);
  if (last.empty()) return Duration{delay};
  if (last[pair] >= 0) {
    const int128 pull = int128{last[pair] - delay} * by.correlation_per_million / 1'000'000;
    delay += static_cast<std::int64_t>(pull);
  }
  last[pair] = delay;
  return Duration{delay};
}

// Gilbert: a burst begins with the probability at which the whole comes to the rate, and ends after each
// packet with that of its mean length.
bool Interference::Lossy::loses(std::size_t pair, int nth) {
  const auto rate = static_cast<std::uint64_t>(loss.per_million);
  if (in_burst.empty() || nth > 0) return rng.bernoulli(rate, 1'000'000);
  const auto burst = static_cast<std::uint64_t>(loss.mean_burst);
  const bool is_lost =
      in_burst[pair] ? !rng.bernoulli(1, burst) : rng.bernoulli(rate, burst * (1'000'000 - rate));
  in_burst[pair] = is_lost;
  return is_lost;
}

Duration Interference::Limited::wait(const Packet& packet) {
  Instant through = packet.sent;
  if (out.contains(packet.from, packet.to)) {
    through = outgoing[static_cast<std::size_t>(packet.from)].pass(packet.sent, packet.bytes);
  }
  if (in.contains(packet.from, packet.to)) {
    through =
        std::max(through, incoming[static_cast<std::size_t>(packet.to)].pass(packet.sent, packet.bytes));
  }
  return through - packet.sent;
}

}  // namespace sim::net
