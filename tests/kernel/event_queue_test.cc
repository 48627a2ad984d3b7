// Every queue fires in the order (time, sequence), whatever is pushed and when.
#include "kernel/event_queue.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <queue>
#include <tuple>
#include <vector>

#include "base/rng.h"

namespace sim::kernel {
namespace {

struct Payload {
  std::uint64_t a;
  std::uint64_t b;
};

// The order as anyone would write it down first.
class ReferenceQueue {
 public:
  struct Fired {
    Instant at;
    std::uint64_t seq;
    Payload event;
  };

  bool empty() const { return queue_.empty(); }
  std::size_t size() const { return queue_.size(); }
  std::uint64_t take_seq() { return next_seq_++; }
  void schedule_as(Instant at, std::uint64_t seq, Payload event) { queue_.push({at, seq, event}); }
  void schedule(Instant at, Payload event) { schedule_as(at, take_seq(), event); }
  Instant next_at() const { return queue_.top().at; }
  Fired pop() {
    const Fired first = queue_.top();
    queue_.pop();
    return first;
  }

 private:
  struct Later {
    bool operator()(const Fired& x, const Fired& y) const {
      return std::tie(x.at, x.seq) > std::tie(y.at, y.seq);
    }
  };
  std::priority_queue<Fired, std::vector<Fired>, Later> queue_;
  std::uint64_t next_seq_ = 1;
};

// Delays as a simulation has them: none, a few fixed ones (ties), short, long, very long.
constexpr int kMixes = 7;
std::int64_t draw_delay(Rng& rng, int mix) {
  const std::uint64_t kind = rng.below(10);
  if (mix == 0) return rng.between(0, 1000);
  if (mix == 1) return kind < 5 ? 0 : rng.between(0, 3);
  if (mix == 2) return static_cast<std::int64_t>((kind + 1) * 1'000'000 % 3'000'000);
  if (mix == 5)
    return kind == 0 ? std::int64_t{1} << 40 : rng.between(0, 100);  // a crowd, and some far ahead
  if (mix == 6) return 1'000'000 + rng.between(0, 5);
  const auto bits = static_cast<int>(rng.below(mix == 3 ? 50 : 30));
  return rng.between(0, (std::int64_t{1} << bits) + 1);
}

// A queue and the reference, driven alike and compared at every step.
template <class Queue>
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : rng_(seed, "fuzz/queue"), mix_(static_cast<int>(rng_.below(kMixes))) {}

  void play(int steps) {
    const auto target = std::size_t{1} << rng_.below(13);  // pending around here, and now and then none
    bool filling = true;
    for (int step = 0; step < steps; ++step) {
      if (reference_.size() > target) filling = false;
      if (reference_.empty()) filling = true;
      const std::uint64_t what = rng_.below(100);
      const std::uint64_t pushes_of_hundred = filling ? 65 : 40;
      if (reference_.empty() && rng_.below(4) == 0) {
        rewind();
      } else if (reference_.empty() || what < pushes_of_hundred) {
        push(now_ + Duration{draw_delay(rng_, mix_)});
      } else if (what < pushes_of_hundred + 2) {
        reserve();
      } else if (what < pushes_of_hundred + 4) {
        push_reserved();
      } else if (what < pushes_of_hundred + 8) {
        REQUIRE(queue_.next_at() ==
                reference_.next_at());  // a look ahead must not spoil what is pushed after it
      } else {
        pop();
      }
      if (rng_.below(2000) == 0) burst_before_the_first();
      if (rng_.below(2000) == 0) ruin_a_copy();
      REQUIRE(queue_.size() == reference_.size());
    }
  }

  void drain() {
    while (!reference_.empty()) pop();
    CHECK(queue_.empty());
  }

 private:
  void push(Instant at) {
    const Payload event{payload_++, ~payload_};
    queue_.schedule(at, event);
    reference_.schedule(at, event);
  }

  void reserve() {
    const std::int64_t delay = draw_delay(rng_, mix_);
    reserved_.emplace_back(now_ + Duration{delay}, queue_.take_seq());
    REQUIRE(reference_.take_seq() == reserved_.back().second);
  }

  void push_reserved() {
    if (reserved_.empty()) return;
    const auto [at, seq] = reserved_.back();
    reserved_.pop_back();
    if (at <= now_) return;
    const Payload event{payload_++, seq};
    queue_.schedule_as(at, seq, event);
    reference_.schedule_as(at, seq, event);
  }

  void pop() {
    const auto got = queue_.pop();
    const auto want = reference_.pop();
    REQUIRE(got.at == want.at);
    REQUIRE(got.seq == want.seq);
    REQUIRE(got.event.a == want.event.a);
    REQUIRE(got.event.b == want.event.b);
    REQUIRE(got.at >= now_);
    REQUIRE(queue_.now() == got.at);
    now_ = got.at;
  }

  void rewind() {
    now_ = instant_at(rng_.between(0, nanos(now_) + 1));
    queue_.rewind(now_);
    reserved_.clear();
  }

  // As when a run stopped at a time limit goes on with much that is new.
  void burst_before_the_first() {
    if (reference_.empty()) return;
    const Instant first = queue_.next_at();
    REQUIRE(first == reference_.next_at());
    const std::uint64_t count = rng_.below(400);
    for (std::uint64_t i = 0; i < count; ++i) push(instant_at(rng_.between(nanos(now_), nanos(first) + 1)));
  }

  // What happens to a copy is no concern of the original, nor the other way round.
  void ruin_a_copy() {
    Queue copy = queue_;
    const std::size_t before = queue_.size();
    for (int i = 0; i < 100; ++i) {
      if (!copy.empty() && i % 4 != 0) copy.pop();
      copy.schedule(copy.now() + Duration{draw_delay(rng_, mix_)}, {});
    }
    REQUIRE(queue_.size() == before);
    const Queue another = queue_;
    queue_ = copy;
    queue_ = another;
  }

  Rng rng_;
  int mix_;
  Queue queue_;
  ReferenceQueue reference_;
  std::vector<std::pair<Instant, std::uint64_t>> reserved_;  // places taken, to be scheduled later
  Instant now_{};
  std::uint64_t payload_ = 0;
};

template <class Queue>
void play_against_reference(std::uint64_t seed) {
  CAPTURE(seed);
  Pair<Queue> pair(seed);
  pair.play(15'000);
  pair.drain();
}

TEST_CASE("a heap queue fires in the order of the reference") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) play_against_reference<HeapQueue<Payload>>(seed);
}

TEST_CASE("a radix queue fires in the order of the reference") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) play_against_reference<RadixQueue<Payload>>(seed);
}

// The sizes stand on either side of where the radix queue changes its ways: no bucket at all, an array taken
// whole and split when many come before its end, neighbours taken along, buckets spread once or twice.
TEST_CASE("both queues fire the same hold model") {
  for (const std::size_t pending : {1u, 2u, 7u, 8u, 9u, 17u, 30u, 63u, 64u, 65u, 100u, 400u, 5000u}) {
    for (int mix = -1; mix < kMixes; ++mix) {
      CAPTURE(pending);
      CAPTURE(mix);
      HeapQueue<Payload> heap;
      RadixQueue<Payload> radix;
      Rng rng(pending, "hold");
      const auto draw = [&] { return mix < 0 ? rng.between(0, 2'000'000) : draw_delay(rng, mix); };
      const auto both = [&](Instant at, Payload event) {
        heap.schedule(at, event);
        radix.schedule(at, event);
      };
      for (std::size_t i = 0; i < pending; ++i) both(instant_at(draw()), {i, 0});
      for (int i = 0; i < 8000; ++i) {
        const auto a = heap.pop();
        const auto b = radix.pop();
        REQUIRE(a.at == b.at);
        REQUIRE(a.seq == b.seq);
        REQUIRE(a.event.a == b.event.a);
        both(a.at + Duration{draw()}, a.event);
      }
    }
  }
}

TEST_CASE_TEMPLATE("events of one instant fire as they were scheduled", Queue, HeapQueue<Payload>,
                   RadixQueue<Payload>) {
  Queue queue;
  for (std::uint64_t i = 0; i < 3000; ++i) queue.schedule(instant_at(5), {i, 0});
  for (std::uint64_t i = 0; i < 6000; ++i) {
    const auto first = queue.pop();
    REQUIRE(first.event.a == i);
    if (i < 3000) queue.schedule(first.at, {i + 3000, 0});  // what an event schedules at once comes last
  }
  CHECK(queue.empty());
}

TEST_CASE_TEMPLATE("many events before one that was looked at", Queue, HeapQueue<Payload>,
                   RadixQueue<Payload>) {
  Queue queue;
  for (int i = 0; i < 500; ++i) queue.schedule(instant_at(1'000'000 + i % 7), {0, 0});
  CHECK(queue.next_at() == instant_at(1'000'000));
  for (int i = 0; i < 1000; ++i) queue.schedule(instant_at((i * 7919) % 100'000), {0, 0});
  Instant last{};
  for (int i = 0; i < 1500; ++i) {
    const auto first = queue.pop();
    REQUIRE(first.at >= last);
    last = first.at;
  }
  CHECK(last == instant_at(1'000'006));
}

TEST_CASE_TEMPLATE("the far ends of time", Queue, HeapQueue<Payload>, RadixQueue<Payload>) {
  Queue queue;
  for (int i = 0; i < 40; ++i) queue.schedule(Instant::max(), {1, 0});
  for (int i = 0; i < 40; ++i) queue.schedule(Instant{}, {0, 0});
  for (int i = 0; i < 40; ++i) queue.schedule(instant_at(std::int64_t{1} << 62), {2, 0});
  for (int i = 0; i < 40; ++i) CHECK(queue.pop().event.a == 0);
  for (int i = 0; i < 40; ++i) CHECK(queue.pop().event.a == 2);
  for (int i = 0; i < 40; ++i) CHECK(queue.pop().event.a == 1);
  CHECK(queue.now() == Instant::max());
}

TEST_CASE_TEMPLATE("the past is refused", Queue, HeapQueue<Payload>, RadixQueue<Payload>) {
  Queue queue;
  queue.schedule(instant_at(10), {});
  queue.pop();
  CHECK_NOTHROW(queue.schedule(instant_at(10), {}));
  CHECK_THROWS_AS(queue.schedule(instant_at(9), {}), InternalError);
  CHECK_THROWS_AS(queue.schedule(instant_at(-1), {}), InternalError);
  queue.pop();
  CHECK_THROWS_AS(queue.pop(), InternalError);
}

TEST_CASE_TEMPLATE("a copy plays on as the original", Queue, HeapQueue<Payload>, RadixQueue<Payload>) {
  Rng rng(3, "copy");
  Queue original;
  for (std::uint64_t i = 0; i < 2000; ++i) original.schedule(instant_at(rng.between(0, 1 << 30)), {i, 0});
  const auto step = [](Queue& queue, Rng& draws) {
    const auto first = queue.pop();
    queue.schedule(first.at + Duration{draws.between(0, 1 << 28)}, first.event);
    return first.seq;
  };
  for (int i = 0; i < 1000; ++i) step(original, rng);
  Queue copy = original;
  Rng copied_rng = rng;
  std::vector<std::uint64_t> played;
  for (int i = 0; i < 5000; ++i) played.push_back(step(original, rng));
  for (int i = 0; i < 5000; ++i) REQUIRE(step(copy, copied_rng) == played[static_cast<std::size_t>(i)]);
}

}  // namespace
}  // namespace sim::kernel
