#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "base/id.h"
#include "base/rng.h"
#include "base/time.h"
#include "net/pipe.h"

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
  void add(const Pairs& others);  // REQUIRES: of as many machines
  std::size_t machines() const { return machines_; }
  std::size_t size() const { return has_.size(); }  // places for pairs, taken or not
  std::size_t index(Endpoint from, Endpoint to) const {
    return static_cast<std::size_t>(from) * machines_ + static_cast<std::size_t>(to);
  }

 private:
  std::size_t machines_ = 0;
  std::vector<bool> has_;
};

using RuleId = Id<struct RuleTag, std::uint32_t>;

// As netem has it, but for the order: it may hand over later packets first, TCP does not.
struct DelaySpec {
  Distribution by;
  std::int64_t jitter = 0;  // ns; evenly from so much less to so much more
  // Each delay is this part of the last one of the same pair and for the rest a new draw.
  std::int32_t correlation_per_million = 0;
};

// Each packet with this probability; with a burst above 1 as Gilbert's model has it: after a lost one the
// next of the same pair is lost too, until the burst is over. When TCP sends a packet again, a burst is over
// for long.
struct LossSpec {
  std::int32_t per_million = 0;
  std::int32_t mean_burst = 1;
};
// A rate so high cannot come in bursts so short: between two there is a packet that is not lost.
constexpr bool is_possible(const LossSpec& loss) {
  return loss.per_million >= 0 && loss.per_million <= 1'000'000 && loss.mean_burst >= 1 &&
         (loss.mean_burst == 1 ||
          loss.per_million <= std::int64_t{loss.mean_burst} * (1'000'000 - loss.per_million));
}

class Interference {
 public:
  bool empty() const { return rules_.empty(); }

  // Nothing passes.
  RuleId cut(Pairs pairs);
  // Every packet takes longer by a draw.
  RuleId delay(Pairs pairs, DelaySpec by, const Rng& rng);
  // Packets are lost. REQUIRES: is_possible(loss)
  RuleId lose(Pairs pairs, LossSpec loss, const Rng& rng);
  // What a machine sends over `out` has to share a rate, and so has what comes to a machine over `in`: it
  // queues for that, whatever else is on the way. REQUIRES: bits_per_second > 0
  RuleId limit(Pairs out, Pairs in, std::int64_t bits_per_second);
  void lift(RuleId rule);

  // How many packets the rule has touched. REQUIRES: it is not lifted
  std::int64_t touched(RuleId rule) const;

  bool cuts(Endpoint from, Endpoint to) const;
  // A packet was stopped here.
  void count_stopped(Endpoint from, Endpoint to);
  struct Packet {
    Endpoint from;
    Endpoint to;
    std::int64_t bytes;
    Instant sent;
    Duration first_timeout;  // it is sent again, if it gets lost, after so long, after twice that, and so on
  };
  // How much later than otherwise it is there. REQUIRES: calls in order of `sent`
  Duration hindrance(const Packet& packet);

 private:
  struct Cut {};
  struct Slow {
    DelaySpec by;
    Rng rng;
    std::vector<std::int64_t>
        last;  // delay of each pair of machines, -1: none yet; empty without correlation
    Duration draw(std::size_t pair);
  };
  struct Lossy {
    LossSpec loss;
    Rng rng;
    std::vector<bool> in_burst;  // by pair of machines; empty without bursts
    bool loses(std::size_t pair, int nth);
  };
  struct Limited {
    Pairs in;  // the rule's own pairs are both these and those that go out
    Pairs out;
    std::vector<Pipe> incoming;  // by machine
    std::vector<Pipe> outgoing;
    Duration wait(const Packet& packet);
  };
  using What = std::variant<Cut, Slow, Lossy, Limited>;
  struct Rule {
    RuleId id;
    Pairs pairs;
    What what;
    std::int64_t touched = 0;
  };

  RuleId add(Pairs pairs, What what);
  static Duration hindrance(Rule& rule, const Packet& packet);

  std::vector<Rule> rules_;  // in the order in which they were made
  std::uint32_t next_ = 0;
};

}  // namespace sim::net
