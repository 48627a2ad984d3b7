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
// The order of keys is kept by a radix heap, which from some fifty pending to a million was measured to be
// faster than a binary heap, and below that never more than a few nanoseconds slower; HeapQueue stands beside
// it behind the same interface, and tests drive both against each other. Keys are kept apart from payloads,
// which lie in a slab whose slots are reused last in, first out: the payload written is mostly the one just
// read. In a steady state nothing is allocated. A queue is a value; a copy plays on as the original would.
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
  std::size_t size() const { return slab_.size() - free_count_; }
  bool empty() const { return size() == 0; }

  // REQUIRES: at >= now()
  void schedule(Instant at, const Event& event) { schedule_as(at, take_seq(), event); }

  // A place in the order for an event that is scheduled later.
  std::uint64_t take_seq() {
    SIM_CHECK(next_seq_ < EventKey::kMaxSequence, "a run has at most 2^40 sequence numbers");
    return next_seq_++;
  }

  // Schedules under a number taken before. REQUIRES: (at, seq) is after the last event popped, and
  // seq came from take_seq() and is not in the queue
  void schedule_as(Instant at, std::uint64_t seq, const Event& event) {
    SIM_CHECK(at >= now_, "no event lies in the past");
    const std::uint32_t slot = take_slot();
    in_slot(slot) = event;
    enqueue(at, seq, slot);
  }

  // The same in three steps, so that the caller can write the event where it will lie: an event made of small
  // fields is then stored field by field, and never read back as a whole, for which a processor has to wait.
  // The caller has also checked that at >= now().
  std::uint32_t take_slot() {
    if (free_count_ == 0) [[unlikely]]
      grow();
    return free_slots_[--free_count_];
  }
  Event& in_slot(std::uint32_t slot) { return slab_[slot]; }
  void enqueue(Instant at, std::uint64_t seq, std::uint32_t slot) { keys_.push(EventKey(at, seq, slot)); }

  // Sets the clock of an empty queue back, for an owner that dropped its last events unseen.
  // REQUIRES: empty(), at <= now()
  void rewind(Instant at) {
    SIM_CHECK(empty() && at <= now_, "only an empty queue can be set back");
    keys_.restart(static_cast<std::uint64_t>(nanos(at)));
    now_ = at;
  }

  // When the first event is due. REQUIRES: !empty()
  Instant next_at() { return first()->at(); }

  // The place of the first event, good until anything changes; null if there is none.
  const EventKey* first() {
    return keys_.first([slab = slab_.data()](std::uint32_t slot) { __builtin_prefetch(slab + slot); });
  }

  // Removes the first event and moves the clock to it. REQUIRES: !empty()
  Fired pop() {
    const EventKey* const key = first();
    SIM_CHECK(key != nullptr, "an empty queue has nothing to fire");
    std::uint64_t seq = key->seq();
    const Event& event = pop_first(*key);
    return {now_, seq, event};
  }

  // The same without a copy: the event may be read until the next call that schedules. REQUIRES: `key` is
  // what first() points to
  const Event& pop_first(EventKey key) {
    keys_.drop_first();
    now_ = key.at();
    const std::uint32_t slot = key.slot();
    free_slots_[free_count_++] = slot;
    return slab_[slot];
  }

 private:
  [[gnu::noinline]] void grow() {
    SIM_CHECK(slab_.size() < EventKey::kMaxSlots, "at most 2^24 events are pending at once");
    slab_.emplace_back();
    free_slots_.resize(slab_.capacity());  // so that popping never allocates
    free_slots_[free_count_++] = static_cast<std::uint32_t>(slab_.size() - 1);
  }

  Keys keys_;
  std::vector<Event> slab_;
  std::vector<std::uint32_t> free_slots_;  // the first free_count_ of them
  std::size_t free_count_ = 0;
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
