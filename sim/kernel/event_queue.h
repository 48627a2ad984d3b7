#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "kernel/event_key.h"
#include "kernel/heap_keys.h"
#include "kernel/radix_keys.h"

// Future events in one total order: by time, then by sequence number.
//
// The second key is what makes a run repeatable: a heap alone may hand back the events of one
// instant in any order. No event lies in the past. Cancelling is the caller's business: a stale
// event is recognised when it arrives, and dropped (see timer.h).
//
// The order of keys is kept by a radix heap, which at every size from ten to a million pending was measured
// at least as fast as a binary heap; HeapQueue stands beside it behind the same interface, and tests
// drive both against each other. Keys are kept apart from payloads, which lie in a slab whose slots are
// reused last in, first out: the payload written is mostly the one just read. In a steady state
// nothing is allocated. A queue is a value; a copy plays on as the original would.
namespace sim::kernel {

template <class Event, class Keys>
class BasicEventQueue {
  static_assert(std::is_trivially_copyable_v<Event>);

 public:
  struct Fired {
    Instant at;
    std::uint64_t seq;
    Event event;
  };

  // The time of the last event popped.
  Instant now() const { return now_; }
  std::size_t size() const { return keys_.size(); }
  bool empty() const { return keys_.empty(); }

  // REQUIRES: at >= now()
  void schedule(Instant at, const Event& event) { place(at, take_seq()) = event; }

  // A place in the order for an event that is scheduled later.
  std::uint64_t take_seq() {
    SIM_CHECK(next_seq_ < EventKey::kMaxSequence, "a run has at most 2^40 sequence numbers");
    return next_seq_++;
  }

  // Schedules under a number taken before. REQUIRES: (at, seq) is after the last event popped, and
  // seq came from take_seq() and is not in the queue
  void schedule_as(Instant at, std::uint64_t seq, const Event& event) { place(at, seq) = event; }

  // The same, but the caller writes the event, at once, into the place returned. Inlined, so that an event made of
  // small fields is stored field by field and never read back as a whole, for which a processor would
  // have to wait.
  [[gnu::always_inline]] Event& place(Instant at, std::uint64_t seq) {
    SIM_CHECK(at >= now_, "no event lies in the past");
    const std::uint32_t slot = take_slot();
    keys_.push(EventKey(at, seq, slot));
    return slab_[slot];
  }

  // Sets the clock of an empty queue back, for an owner that dropped its last events unseen.
  // REQUIRES: empty(), at <= now()
  void rewind(Instant at) {
    SIM_CHECK(empty() && at <= now_, "only an empty queue can be set back");
    keys_.restart(static_cast<std::uint64_t>(nanos(at)));
    now_ = at;
  }

  // When the first event is due. REQUIRES: !empty()
  Instant next_at() { return keys_.front(prefetch()).at(); }

  // Removes the first event and moves the clock to it. REQUIRES: !empty()
  Fired pop() {
    SIM_CHECK(!empty(), "an empty queue has nothing to fire");
    std::uint64_t seq = 0;
    const Event& event = pop_in_place(seq);
    return {now_, seq, event};
  }

  // The same without a copy: the event may be read until the next call that schedules. REQUIRES: !empty()
  const Event& pop_in_place(std::uint64_t& seq) {
    const EventKey key = keys_.front(prefetch());
    keys_.drop_front();
    now_ = key.at();
    seq = key.seq();
    const std::uint32_t slot = key.slot();
    free_slots_.push_back(slot);
    return slab_[slot];
  }

 private:
  auto prefetch() const {
    return [slab = slab_.data()](std::uint32_t slot) { __builtin_prefetch(slab + slot); };
  }

  std::uint32_t take_slot() {
    if (free_slots_.empty()) [[unlikely]] grow();
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }

  [[gnu::noinline]] void grow() {
    SIM_CHECK(slab_.size() < EventKey::kMaxSlots, "at most 2^24 events are pending at once");
    free_slots_.push_back(static_cast<std::uint32_t>(slab_.size()));
    slab_.emplace_back();
    free_slots_.reserve(slab_.capacity());  // so that popping never allocates
  }

  Keys keys_;
  std::vector<Event> slab_;
  std::vector<std::uint32_t> free_slots_;
  Instant now_{};
  std::uint64_t next_seq_ = 1;
};

template <class Event>
using HeapQueue = BasicEventQueue<Event, HeapKeys>;
template <class Event>
using RadixQueue = BasicEventQueue<Event, RadixKeys>;
template <class Event>
using EventQueue = RadixQueue<Event>;

}  // namespace sim::kernel
