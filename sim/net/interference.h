#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "base/id.h"
#include "base/rng.h"
#include "base/time.h"

// What is wrong with the wires at present: rules, each for some directed pairs of machines, each counting
// what it touched. Rules add up; within a machine nothing is ever wrong.
//
// A rule knows packets as having a sender and a receiver, no more. What TCP makes of it (retransmission,
// order) is the business of whoever keeps connections, with the times of retransmission.h.
namespace sim::net {

using Endpoint = std::int32_t;  // a machine

// A set of directed pairs of machines.
class Pairs {
 public:
  Pairs() = default;
  explicit Pairs(std::size_t machines) : machines_(machines), has_(machines * machines) {}

  void add(Endpoint from, Endpoint to) {
    if (from != to) has_[index(from, to)] = true;
  }
  bool contains(Endpoint from, Endpoint to) const { return has_[index(from, to)]; }
  bool empty() const;

 private:
  std::size_t index(Endpoint from, Endpoint to) const {
    return static_cast<std::size_t>(from) * machines_ + static_cast<std::size_t>(to);
  }
  std::size_t machines_ = 0;
  std::vector<bool> has_;
};

using RuleId = Id<struct RuleTag, std::uint32_t>;

class Interference {
 public:
  bool empty() const { return rules_.empty(); }

  // Nothing passes.
  RuleId cut(Pairs pairs);
  // Every packet takes longer by a draw.
  RuleId delay(Pairs pairs, Distribution by, const Rng& rng);
  // Packets are lost with this probability. REQUIRES: 0 <= per_million <= 1 000 000
  RuleId lose(Pairs pairs, std::int32_t per_million, const Rng& rng);
  void lift(RuleId rule);

  // How many packets the rule has touched. REQUIRES: it is not lifted
  std::int64_t touched(RuleId rule) const;

  bool cuts(Endpoint from, Endpoint to) const;
  // A packet was stopped here.
  void count_stopped(Endpoint from, Endpoint to);
  // How much later than otherwise a packet is there that is sent again, if it gets lost, after
  // `first_timeout`, after twice that, and so on.
  Duration hindrance(Endpoint from, Endpoint to, Duration first_timeout);

 private:
  struct Cut {};
  struct Slow {
    Distribution by;
    Rng rng;
  };
  struct Lossy {
    std::uint64_t per_million;
    Rng rng;
  };
  struct Rule {
    RuleId id;
    Pairs pairs;
    std::variant<Cut, Slow, Lossy> what;
    std::int64_t touched = 0;
  };

  RuleId add(Pairs pairs, std::variant<Cut, Slow, Lossy> what);
  static Duration hindrance(Rule& rule, Duration first_timeout);

  std::vector<Rule> rules_;  // in the order in which they were made
  std::uint32_t next_ = 0;
};

}  // namespace sim::net
