#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/check.h"
#include "base/hash.h"
#include "base/time.h"
#include "kernel/event_queue.h"
#include "kernel/timer.h"

// The clock of the simulated world: future events, timers, budgets, and a fingerprint of what fired.
//
// The host schedules events and asks for the next one in a loop; what an event means is the host's
// business. Nothing here polls or ticks: time jumps from event to event, and a world in which nothing
// is due costs nothing. Events of one instant fire in the order in which they were scheduled or
// armed. Two runs that fire the same events have the same fingerprint.
//
// An Event is a plain struct of at most 24 bytes without padding (padding would be hashed), such as
// {std::uint32_t kind; std::uint32_t target; std::uint64_t a; std::uint64_t b}. What is bigger lives with
// the host and is named by an index.
//
// A Kernel is a value: a copy made in mid-run plays on exactly as the original.
namespace sim::kernel {

enum class StopReason : std::uint8_t {
  none,          // the last next() fired an event
  idle,          // nothing is scheduled any more
  time_limit,    // the next event lies after the limit, which is what now() says
  event_budget,  // as many events fired as were allowed
};

template <class Event>
class Kernel {
  static_assert(std::is_trivially_copyable_v<Event>);
  static_assert(std::has_unique_object_representations_v<Event>, "padding bytes would reach the fingerprint");
  static_assert(sizeof(Event) <= 24 && sizeof(Event) % 8 == 0);

 public:
  struct Fired {
    Instant at{};
    std::uint64_t seq = 0;
    Event event{};
  };

  Instant now() const { return now_; }

  // REQUIRES: at >= now()
  [[gnu::always_inline]] void schedule(Instant at, const Event& event) {
    SIM_CHECK(at >= now_, "no event lies in the past");
    const std::uint32_t slot = queue_.take_slot();
    Entry& entry = queue_.in_slot(slot);
    entry.event = event;
    entry.timer = kNoTimer;
    queue_.enqueue(at, queue_.take_seq(), slot);
  }

  // A timer that fires as `event` each time it comes due; it must be armed anew after that.
  TimerHandle create_timer(const Event& event) { return timers_.create(event); }
  // Sets or moves it. REQUIRES: due >= now()
  void arm(TimerHandle timer, Instant due) {
    SIM_CHECK(due >= now_, "no timer is due in the past");
    const std::uint64_t seq = queue_.take_seq();
    if (timers_.arm(timer, due, seq)) queue_timer(timer, due, seq);
  }
  void cancel(TimerHandle timer) { timers_.cancel(timer); }
  void destroy_timer(TimerHandle timer) { timers_.destroy(timer); }
  bool is_armed(TimerHandle timer) const { return timers_.is_armed(timer); }

  // Takes the first event due and moves the clock to it. False: there is none to take now, and
  // stop_reason() says why; with a larger budget or limit, or more events, the run goes on.
  bool next(Fired& out) {
    while (true) {
      const EventKey* const first = queue_.first();
      if (first == nullptr) [[unlikely]]
        return went_idle();
      const EventKey key = *first;
      if (key.at() > limit_) [[unlikely]]
        return stop_at_limit();
      if (events_fired_ == budget_) [[unlikely]]
        return stop(StopReason::event_budget);
      const Entry& entry = queue_.pop_first(key);
      const Event* const event =
          entry.timer == kNoTimer ? &entry.event : timer_came_up({entry.timer}, key.seq());
      if (event == nullptr) continue;
      fire(out, key, *event);
      return true;
    }
  }

  StopReason stop_reason() const { return stop_reason_; }

  // The last instant at which events may fire. REQUIRES: at >= now()
  void set_time_limit(Instant at) {
    SIM_CHECK(at >= now_, "the clock does not run backward");
    limit_ = at;
  }
  // How many events may fire in all.
  void set_event_budget(std::uint64_t events) { budget_ = events; }

  std::uint64_t events_fired() const { return events_fired_; }
  // Entries in the queue: what is scheduled, and timers, of which some may turn out to be cancelled.
  std::size_t pending() const { return queue_.size(); }

  // Folds (time, sequence, event) of all that fired; the host adds what it did about it.
  Fingerprint& fingerprint() { return fingerprint_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  using Timers = TimerTable<Event>;

  static constexpr std::uint32_t kNoTimer = ~std::uint32_t{0};
  struct Entry {
    Event event;          // unless it is a timer's, which keeps its own
    std::uint32_t timer;  // or kNoTimer
  };
  static_assert(sizeof(Entry) <= 32);

  // What fires now that the entry of this timer queued under `seq` has come up; null: nothing.
  [[gnu::noinline]] const Event* timer_came_up(TimerHandle timer, std::uint64_t seq) {
    switch (timers_.came_up(timer, seq)) {
      case Timers::Verdict::fires: return &timers_.event(timer);
      case Timers::Verdict::put_back:
        queue_timer(timer, timers_.put_back_at(timer), timers_.put_back_seq(timer));
        return nullptr;
      case Timers::Verdict::dropped: return nullptr;
    }
    return nullptr;
  }

  void queue_timer(TimerHandle timer, Instant due, std::uint64_t seq) {
    const std::uint32_t slot = queue_.take_slot();
    queue_.in_slot(slot).timer = timer.index;
    queue_.enqueue(due, seq, slot);
  }

  void fire(Fired& out, EventKey key, const Event& event) {
    now_ = key.at();
    out.at = now_;
    out.seq = key.seq();
    out.event = event;
    ++events_fired_;
    stop_reason_ = StopReason::none;
    std::array<std::uint64_t, 3> words{};
    std::memcpy(words.data(), &event, sizeof(Event));
    fingerprint_.add(key.time(), key.seq(), words[0], words[1], words[2]);
  }

  bool stop(StopReason reason) {
    stop_reason_ = reason;
    return false;
  }
  bool stop_at_limit() {
    now_ = limit_;
    return stop(StopReason::time_limit);
  }
  bool went_idle() {
    // Entries of cancelled timers may have carried the queue's clock beyond ours.
    queue_.rewind(now_);
    return stop(StopReason::idle);
  }

  EventQueue<Entry> queue_;
  Timers timers_;
  Fingerprint fingerprint_;
  Instant now_{};
  Instant limit_ = Instant::max();
  std::uint64_t events_fired_ = 0;
  std::uint64_t budget_ = std::numeric_limits<std::uint64_t>::max();
  StopReason stop_reason_ = StopReason::none;
};

}  // namespace sim::kernel
