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

TEST_CASE("logs are read by so many threads, each taking the next one when it is free") {
  DiskSpec spec;
  spec.read_bytes_per_second = 1'000'000'000;
  Device disk(spec, Rng(1, "disk"));
  const std::vector<std::int64_t> logs = {40, 10, 10, 10};
  CHECK(nanos(disk.scan(instant_at(100), logs, 1)) == 170);
  CHECK(nanos(disk.scan(instant_at(100), logs, 2)) == 140);
  CHECK(nanos(disk.scan(instant_at(100), logs, 9)) == 140);  // one log is read by one
  CHECK(nanos(disk.scan(instant_at(100), {}, 2)) == 100);
  // More bytes than nanoseconds in a century: a terabyte at a gigabyte a second.
  CHECK(nanos(disk.scan(Instant{}, {1'000'000'000'000}, 1)) == 1'000'000'000'000);
  spec.read_bytes_per_second = 0;
  CHECK(nanos(Device(spec, Rng(1, "disk")).scan(instant_at(100), logs, 1)) == 100);
}

TEST_CASE("slowness: a factor, then a time on top, of all that is asked for while it lasts") {
  Device disk = device();
  disk.slow_down(7, 3, Distribution::constant(5), Rng(1, "slow"));
  CHECK(nanos(disk.write(Instant{}, 50)) == 3 * 150 + 5);
  CHECK(nanos(disk.flush(instant_at(1'000))) == 1'000 + 3 * 10'000 + 5);
  disk.slow_down(8, 2, Distribution::constant(0), Rng(1, "slower"));
  CHECK(nanos(disk.write(instant_at(100'000), 0)) == 100'000 + 2 * (3 * 100 + 5));
  CHECK(disk.slowed_by(7) == 3);
  CHECK(disk.slowed_by(8) == 1);
  disk.lift(7);
  disk.lift(8);
  CHECK(nanos(disk.write(instant_at(200'000), 0)) == 200'100);
  CHECK(disk.slowed_by(7) == 0);
}

TEST_CASE("broken and full for as long as there is a reason") {
  Device disk = device();
  disk.break_down();
  disk.break_down();
  disk.fill_up();
  disk.repair();
  CHECK(disk.is_broken());
  disk.repair();
  CHECK(!disk.is_broken());
  CHECK(disk.is_full());
  disk.clear();
  CHECK(!disk.is_full());
}

}  // namespace
}  // namespace sim::disk
