// Writes and flushes queue behind each other.
#include "disk/device.h"

#include <doctest/doctest.h>

namespace sim::disk {
namespace {

Device device() {
  DiskSpec spec;
  spec.append = Distribution::constant(100);
  spec.flush = Distribution::constant(10'000);
  spec.bytes_per_second = 1'000'000'000;  // a byte a nanosecond
  return Device(spec, Rng(1, "disk"));
}

TEST_CASE("a write takes its latency and its bytes, after the writes before it") {
  Device disk = device();
  CHECK(nanos(disk.write(Instant{}, 50)) == 150);
  CHECK(nanos(disk.write(Instant{}, 0)) == 250);
  CHECK(nanos(disk.write(instant_at(1'000), 0)) == 1'100);
}

TEST_CASE("a flush waits for the writes before it and for the flush before it, a write for no flush") {
  Device disk = device();
  disk.write(Instant{}, 900);  // done at 1000
  CHECK(nanos(disk.flush(Instant{})) == 11'000);
  CHECK(nanos(disk.flush(Instant{})) == 21'000);
  CHECK(nanos(disk.write(instant_at(1'000), 0)) == 1'100);
}

}  // namespace
}  // namespace sim::disk
