// The kernel: lazy timers fire exactly where eager ones would, budgets stop it, copies play on.
#include "kernel/kernel.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/rng.h"
#include "kernel/streams.h"

namespace sim::kernel {
namespace kernel_test {

struct Event {
  std::uint32_t kind;
  std::uint32_t who;
  std::uint64_t a;
};

using TestKernel = Kernel<Event>;

// The same promise kept eagerly: arming removes and inserts.
class EagerKernel {
 public:
  struct Fired {
    Instant at;
    std::uint64_t seq;
    Event event;
  };

  void schedule(Instant at, Event event) { queue_.insert({at, next_seq_++, event, kNone}); }
  std::uint32_t create_timer(Event event) {
    timers_.push_back({event, std::nullopt});
    return static_cast<std::uint32_t>(timers_.size() - 1);
  }
  void arm(std::uint32_t timer, Instant due) {
    cancel(timer);
    const Entry entry{due, next_seq_++, timers_[timer].event, timer};
    timers_[timer].queued = entry;
    queue_.insert(entry);
  }
  void cancel(std::uint32_t timer) {
    if (timers_[timer].queued) queue_.erase(*timers_[timer].queued);
    timers_[timer].queued.reset();
  }
  bool is_armed(std::uint32_t timer) const { return timers_[timer].queued.has_value(); }
  std::optional<Instant> next_at() const {
    return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->at);
  }
  bool next(Fired& out) {
    if (queue_.empty()) return false;
    const Entry first = *queue_.begin();
    queue_.erase(queue_.begin());
    if (first.timer != kNone) timers_[first.timer].queued.reset();
    out = {first.at, first.seq, first.event};
    return true;
  }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  struct Entry {
    Instant at;
    std::uint64_t seq;
    Event event;
    std::uint32_t timer;
    bool operator<(const Entry& other) const { return std::tie(at, seq) < std::tie(other.at, other.seq); }
  };
  struct Timer {
    Event event;
    std::optional<Entry> queued;
  };
  std::set<Entry> queue_;
  std::vector<Timer> timers_;
  std::uint64_t next_seq_ = 1;
};

TEST_CASE("lazy timers fire as eager ones would") {
  int put_back_ties = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "fuzz/timers");
    const std::int64_t horizon = seed % 3 == 0   ? 5
                                 : seed % 3 == 1 ? 200
                                                 : 1'000'000;  // few instants: many ties
    const auto count = static_cast<std::uint32_t>(1 + rng.below(300));
    TestKernel lazy;
    EagerKernel eager;
    std::vector<TimerHandle> handles;
    std::vector<std::uint32_t> eager_timers;
    const auto create = [&](std::uint32_t i) {
      const Event event{2, i, seed};
      handles[i] = lazy.create_timer(event);
      eager_timers[i] = eager.create_timer(event);
    };
    handles.resize(count);
    eager_timers.resize(count);
    for (std::uint32_t i = 0; i < count; ++i) create(i);
    Instant now{};
    for (int step = 0; step < 6000; ++step) {
      const auto i = static_cast<std::uint32_t>(rng.below(count));
      const Instant at = now + Duration{rng.between(0, horizon)};
      const std::uint64_t what = rng.below(100);
      if (what < 20) {
        lazy.schedule(at, {1, i, what});
        eager.schedule(at, {1, i, what});
      } else if (what < 55) {
        lazy.arm(handles[i], at);
        eager.arm(eager_timers[i], at);
      } else if (what < 63) {
        lazy.cancel(handles[i]);
        eager.cancel(eager_timers[i]);
      } else if (what < 66) {
        lazy.destroy_timer(handles[i]);
        eager.cancel(eager_timers[i]);
        create(i);
      } else if (what < 68) {  // up to a limit, and on from there
        TestKernel::Fired got;
        EagerKernel::Fired want{};
        lazy.set_time_limit(at);
        while (eager.next_at() && *eager.next_at() <= at) {
          REQUIRE(eager.next(want));
          REQUIRE(lazy.next(got));
          REQUIRE(got.seq == want.seq);
          now = got.at;
        }
        REQUIRE_FALSE(lazy.next(got));
        if (lazy.stop_reason() == StopReason::time_limit) now = at;
        REQUIRE(lazy.now() == now);
        if (eager.next_at()) REQUIRE(lazy.stop_reason() == StopReason::time_limit);
        lazy.set_time_limit(Instant::max());
      } else if (what < 70) {  // no budget left, and some granted; and what a copy does is its own affair
        TestKernel copy = lazy;
        TestKernel::Fired got;
        lazy.set_event_budget(lazy.events_fired());
        REQUIRE_FALSE(lazy.next(got));
        REQUIRE(lazy.now() == now);
        lazy.set_event_budget(~std::uint64_t{0});
        while (copy.next(got) && rng.below(20) != 0) copy.arm(handles[i], got.at + Duration{horizon});
      } else {
        TestKernel::Fired got;
        EagerKernel::Fired want{};
        const bool more = eager.next(want);
        REQUIRE(lazy.next(got) == more);
        if (!more) continue;
        REQUIRE(got.at == want.at);
        REQUIRE(got.seq == want.seq);
        REQUIRE(got.event.kind == want.event.kind);
        REQUIRE(got.event.who == want.event.who);
        if (got.at == now && got.event.kind == 2) ++put_back_ties;
        now = got.at;
        REQUIRE(lazy.now() == now);
      }
      REQUIRE(lazy.is_armed(handles[i]) == eager.is_armed(eager_timers[i]));
    }
    TestKernel::Fired got;
    EagerKernel::Fired want{};
    while (eager.next(want)) {
      REQUIRE(lazy.next(got));
      REQUIRE(got.seq == want.seq);
    }
    CHECK_FALSE(lazy.next(got));
    CHECK(lazy.stop_reason() == StopReason::idle);
    CHECK(lazy.pending() == 0);
  }
  CHECK(put_back_ties > 1000);  // the ties that the rule is about did happen
}

TEST_CASE("a timer's place in an instant is that of its last arming") {
  TestKernel kernel;
  const TimerHandle timer = kernel.create_timer({2, 0, 0});
  kernel.arm(timer, instant_at(10));
  kernel.schedule(instant_at(20), {1, 1, 0});
  kernel.arm(timer, instant_at(20));  // its entry still stands at 10; its place is after event 1
  kernel.schedule(instant_at(20), {1, 2, 0});
  TestKernel::Fired fired;
  std::vector<std::uint32_t> order;
  while (kernel.next(fired)) order.push_back(fired.event.who);
  CHECK(order == std::vector<std::uint32_t>{1, 0, 2});
}

TEST_CASE("re-arming costs no queue entry") {
  TestKernel kernel;
  const TimerHandle timer = kernel.create_timer({2, 0, 0});
  for (int i = 0; i < 1000; ++i) kernel.arm(timer, instant_at(1000 + i));
  CHECK(kernel.pending() == 1);
  TestKernel::Fired fired;
  REQUIRE(kernel.next(fired));
  CHECK(fired.at == instant_at(1999));
  CHECK(kernel.events_fired() == 1);
  CHECK_FALSE(kernel.is_armed(timer));
  CHECK_FALSE(kernel.next(fired));
}

TEST_CASE("a cancelled timer leaves the clock alone") {
  TestKernel kernel;
  const TimerHandle timer = kernel.create_timer({2, 0, 0});
  kernel.arm(timer, instant_at(1000));
  kernel.cancel(timer);
  TestKernel::Fired fired;
  CHECK_FALSE(kernel.next(fired));
  CHECK(kernel.now() == Instant{});
  kernel.schedule(instant_at(5), {1, 7, 0});  // before where the dead entry lay
  REQUIRE(kernel.next(fired));
  CHECK(fired.event.who == 7);
}

TEST_CASE("a destroyed timer is forgotten, and its number is no trap for the next") {
  TestKernel kernel;
  const TimerHandle first = kernel.create_timer({2, 1, 0});
  kernel.arm(first, instant_at(10));
  kernel.destroy_timer(first);
  CHECK_THROWS_AS(kernel.arm(first, instant_at(10)), InternalError);
  const TimerHandle second = kernel.create_timer({2, 2, 0});
  CHECK(second == first);
  kernel.arm(second, instant_at(20));
  TestKernel::Fired fired;
  REQUIRE(kernel.next(fired));
  CHECK(fired.at == instant_at(20));
  CHECK(fired.event.who == 2);
  CHECK_THROWS_AS(kernel.arm(second, instant_at(19)), InternalError);
}

TEST_CASE("limits stop a run, and raising them resumes it") {
  TestKernel kernel;
  for (int i = 1; i <= 10; ++i) kernel.schedule(instant_at(i * 10), {1, 0, 0});
  TestKernel::Fired fired;
  const auto play = [&] {
    while (kernel.next(fired)) {
    }
    return kernel.stop_reason();
  };
  kernel.set_time_limit(instant_at(30));
  CHECK(play() == StopReason::time_limit);
  CHECK(kernel.events_fired() == 3);  // an event at the limit fires
  kernel.set_time_limit(instant_at(35));
  CHECK(play() == StopReason::time_limit);
  CHECK(kernel.now() == instant_at(35));  // the clock went on to the limit
  CHECK_THROWS_AS(kernel.schedule(instant_at(34), {}), InternalError);
  kernel.schedule(instant_at(36), {1, 9, 0});
  kernel.set_time_limit(Instant::max());
  kernel.set_event_budget(4);
  CHECK(play() == StopReason::event_budget);
  CHECK(kernel.now() == instant_at(36));
  CHECK(fired.event.who == 9);
  kernel.set_event_budget(1000);
  CHECK(play() == StopReason::idle);
  CHECK(kernel.events_fired() == 11);
  CHECK(kernel.now() == instant_at(100));
}

// A small busy world: events beget events, arm and cancel timers.
struct World {
  explicit World(std::uint64_t seed) : rng(Streams(seed).get("world")) {
    for (std::uint32_t i = 0; i < 50; ++i) {
      timers.push_back(kernel.create_timer({2, i, 0}));
      kernel.schedule(instant_at(i), {1, i, 0});
    }
  }
  void play(int events) {
    TestKernel::Fired fired;
    for (int i = 0; i < events && kernel.next(fired); ++i) {
      const std::int64_t delay = rng.between(0, 5000);
      const std::int64_t timeout = rng.between(100, 20'000);
      if (fired.event.kind == 1)
        kernel.schedule(fired.at + Duration{delay}, {1, fired.event.who, fired.event.a + 1});
      kernel.arm(timers[fired.event.who], fired.at + Duration{timeout});
      if (rng.bernoulli(1, 10)) kernel.cancel(timers[(fired.event.who + 1) % 50]);
    }
  }

  TestKernel kernel;
  Rng rng;
  std::vector<TimerHandle> timers;
};

TEST_CASE("a copy in mid-run plays on to the same fingerprint") {
  World original(1);
  original.play(5000);
  World copy = original;
  const std::uint64_t before = copy.kernel.fingerprint().value();
  original.play(5000);
  CHECK(copy.kernel.fingerprint().value() == before);  // they share nothing
  copy.play(5000);
  CHECK(copy.kernel.fingerprint().value() == original.kernel.fingerprint().value());
  CHECK(copy.kernel.now() == original.kernel.now());

  World other_seed(2);
  other_seed.play(10'000);
  CHECK(other_seed.kernel.fingerprint().value() != original.kernel.fingerprint().value());
}

TEST_CASE("the fingerprint is the same on every machine and compiler") {
  World world(42);
  world.play(10'000);
  CHECK(world.kernel.events_fired() == 10'000);
  CHECK(world.kernel.fingerprint().value() == 15179761265363164332ull);
}

TEST_CASE("the fingerprint notices time, sequence and every word of an event") {
  const auto of = [](std::int64_t at, int dummies, Event event) {
    TestKernel kernel;
    const TimerHandle timer = kernel.create_timer({});
    for (int i = 0; i < dummies; ++i) kernel.arm(timer, instant_at(1));
    kernel.cancel(timer);
    kernel.schedule(instant_at(at), event);
    TestKernel::Fired fired;
    kernel.next(fired);
    return kernel.fingerprint().value();
  };
  const std::set<std::uint64_t> all = {of(1, 0, {1, 1, 1}), of(2, 0, {1, 1, 1}), of(1, 1, {1, 1, 1}),
                                       of(1, 0, {2, 1, 1}), of(1, 0, {1, 2, 1}), of(1, 0, {1, 1, 2})};
  CHECK(all.size() == 6);
}

TEST_CASE("streams are found by name and shift one another in nothing") {
  const Streams streams(7);
  Rng a = streams.get("net/1->2");
  const std::uint64_t first = a.next();
  Rng b = streams.get("net/2->1");
  b.next();
  CHECK(streams.get("net/1->2").next() == first);
  CHECK(streams.get("net/2->1").next() != first);
  CHECK(Streams(8).get("net/1->2").next() != first);
}

}  // namespace kernel_test
}  // namespace sim::kernel
