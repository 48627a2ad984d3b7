// Bytes take as long as cards, shared links and distance say.
#include "net/network.h"

#include <doctest/doctest.h>

namespace sim::net {
namespace {

constexpr std::int64_t kMicros = 1'000;

NetworkSpec spec() {
  NetworkSpec spec;
  spec.between = {Distribution::constant(100 * kMicros), 1'000'000'000};
  spec.clients = {Distribution::constant(300 * kMicros), 1'000'000'000};
  const LinkSpec far{Distribution::constant(20'000 * kMicros), 100'000'000};
  spec.rack_pairs[{"a", "b"}] = far;
  spec.rack_pairs[{"b", "a"}] = far;
  return spec;
}

const std::vector<MachinePlace> kMachines = {
    {"a", false}, {"a", false}, {"b", false}, {"a", true}, {"b", false}};

TEST_CASE("a link is chosen by rack pair, then by client, then between") {
  struct Row {
    Endpoint from, to;
    std::int64_t micros;
  };
  // 125 000 bytes: 1 ms at 1 Gbit/s, 10 ms at 100 Mbit/s.
  const Row rows[] = {
      {0, 1, 1'100}, {0, 3, 1'300}, {3, 0, 1'300}, {0, 2, 1'000 + 10'000 + 20'000}, {0, 0, 15}};
  for (const Row& row : rows) {
    CAPTURE(row.from);
    CAPTURE(row.to);
    Network network(spec(), kMachines, 1);
    CHECK(nanos(network.arrival(row.from, row.to, 125'000, Instant{})) == row.micros * kMicros);
  }
}

TEST_CASE("all that a machine sends shares its card; what others send does not wait for it") {
  Network network(spec(), kMachines, 1);
  CHECK(nanos(network.arrival(0, 1, 125'000, Instant{})) == 1'100 * kMicros);
  CHECK(nanos(network.arrival(0, 3, 125'000, Instant{})) == 2'300 * kMicros);
  CHECK(nanos(network.arrival(1, 0, 125'000, Instant{})) == 1'100 * kMicros);
  // The card is idle again after 2 ms.
  CHECK(nanos(network.arrival(0, 1, 125'000, instant_at(5'000 * kMicros))) == 6'100 * kMicros);
}

TEST_CASE("machines of two racks share the link between them") {
  Network network(spec(), kMachines, 1);
  CHECK(nanos(network.arrival(0, 2, 125'000, Instant{})) == 31'000 * kMicros);
  CHECK(nanos(network.arrival(1, 4, 125'000, Instant{})) == 41'000 * kMicros);
  CHECK(nanos(network.arrival(2, 0, 125'000, Instant{})) == 31'000 * kMicros);  // the way back is its own
}

TEST_CASE("each directed pair draws from a stream of its own") {
  NetworkSpec random = spec();
  random.between.one_way = Distribution::uniform(0, 1'000'000);
  Network quiet(random, kMachines, 7);
  Network busy(random, kMachines, 7);
  for (int i = 0; i < 10; ++i) (void)busy.travel_time(1, 0);
  CHECK(quiet.travel_time(0, 1) == busy.travel_time(0, 1));
  CHECK(quiet.travel_time(1, 0) != busy.travel_time(1, 0));
}

}  // namespace
}  // namespace sim::net
