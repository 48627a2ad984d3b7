#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/distribution.h"
#include "base/rng.h"
#include "base/time.h"
#include "net/interference.h"
#include "net/pipe.h"

// The wires between machines: how long bytes take, queueing included.
//
// A message leaves through its machine's network card, whose bandwidth all of its connections share, then, if
// the racks have a link of their own, through that link, which all machines of the two racks share; then
// it travels for a one-way latency drawn from the link's distribution. The receiving card does not queue, but
// under a `bandwidth` fault (interference.h). Order within a connection is the host's business: here two
// messages may overtake each other. What is wrong with the wires for a while is kept beside them
// (interference.h), for whoever sends.
//
// Each directed pair of machines draws from a stream of its own ("net/1->2"). What TCP does on its own (slow
// start, windows, Nagle) is left out.
namespace sim::net {

struct LinkSpec {
  Distribution one_way = Distribution::constant(200'000);  // ns
  std::int64_t bits_per_second = 1'000'000'000;            // 0 = unlimited
};

// The link between two machines is the entry of their rack pair, else `clients` if one of them is a client's,
// else `between`.
struct NetworkSpec {
  LinkSpec between;
  LinkSpec clients;
  std::map<std::pair<std::string, std::string>, LinkSpec> rack_pairs;  // both orders present
};

struct MachinePlace {
  std::string rack;
  bool is_client = false;
};

class Network {
 public:
  Network(const NetworkSpec& spec, const std::vector<MachinePlace>& machines, std::uint64_t seed);

  // When a message handed to the sending machine's card now has wholly arrived.
  Instant arrival(Endpoint from, Endpoint to, std::int64_t bytes, Instant now);

  // Travel time alone, for the bare signals of a connection (SYN, FIN, RST).
  Duration travel_time(Endpoint from, Endpoint to) { return latency(wire(from, to)); }

  // What is drawn from here on is drawn anew.
  void reseed(std::string_view name) {
    for (Wire& one : wires_) one.rng = one.rng.child(name);
  }

  Interference& interference() { return interference_; }
  const Interference& interference() const { return interference_; }
  std::size_t machines() const { return machines_; }

 private:
  struct Wire {
    Rng rng;
    std::int32_t link = 0;          // index into links_
    std::int32_t shared_pipe = -1;  // index into pipes_; -1: only the card
  };

  Wire& wire(Endpoint from, Endpoint to) {
    return wires_[static_cast<std::size_t>(from) * machines_ + static_cast<std::size_t>(to)];
  }
  Duration latency(Wire& wire) {
    return Duration{links_[static_cast<std::size_t>(wire.link)].sample(wire.rng)};
  }

  std::size_t machines_;
  std::vector<Wire> wires_;  // machines x machines
  std::vector<Distribution> links_;
  std::vector<Pipe> cards_;  // by machine
  std::vector<Pipe> pipes_;  // by directed rack pair
  Interference interference_;
};

}  // namespace sim::net
