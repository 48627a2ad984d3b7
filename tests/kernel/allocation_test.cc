// In a steady state the kernel allocates nothing: what was freed by one event is what the next one takes.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "base/distribution.h"
#include "kernel/kernel.h"

namespace {
std::uint64_t allocations = 0;
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace sim::kernel {
namespace {

struct Event {
  std::uint64_t who;
  std::uint64_t hops;
};

TEST_CASE("no allocation per event once the world has settled") {
  for (const std::size_t pending : {3u, 30u, 100u, 3000u}) {
    CAPTURE(pending);
    Kernel<Event> kernel;
    Rng rng(pending, "delays");
    const Distribution delay = Distribution::exponential(1'000'000);
    std::vector<TimerHandle> timeouts;
    for (std::uint64_t i = 0; i < pending; ++i) {
      timeouts.push_back(kernel.create_timer({i, 0}));
      kernel.schedule(instant_at(delay.sample(rng)), {i, 1});
    }
    const auto play = [&](int events) {
      Kernel<Event>::Fired fired;
      for (int i = 0; i < events && kernel.next(fired); ++i) {
        if (fired.event.hops == 0) continue;  // a timeout
        kernel.schedule(fired.at + Duration{delay.sample(rng)}, {fired.event.who, fired.event.hops + 1});
        kernel.arm(timeouts[fired.event.who], fired.at + 3ms);
      }
    };
    play(100'000);
    const std::uint64_t before = allocations;
    play(50'000);
    CHECK(allocations - before <= 2);  // a pool may still meet its largest size, which is not per event
    CHECK(kernel.events_fired() == 150'000);
  }
}

}  // namespace
}  // namespace sim::kernel
