#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/time.h"

// Timers that are re-armed far more often than they fire: request timeouts, session and fetch timers.
//
// A timer is an object with a due time and, as a rule, at most one entry in the queue. Cancelling it or
// moving it later are plain stores. When the entry comes up, the timer decides what it was worth: it
// fires, or is put back at the due time of now, or is dropped because the timer was cancelled. Only moving
// a timer to before its queued entry queues a further one; the old entry is then stale, and recognised
// by its sequence number.
//
// The tie rule: the place of a timer among the events of one instant is decided by the sequence number it
// took when it was last armed, as if each arming had removed and inserted it. Putting it back keeps that
// number. So laziness can be seen in the work done, never in the order of what fires: an entry never comes
// up after the place it stands for, because (due, seq) only grows while an entry stays queued.
//
// The table knows no queue; it tells its owner what to queue (see kernel.h). It is a value.
namespace sim::kernel {

// Stays valid until destroyed; then the number may be given out again, so its owner forgets it.
struct TimerHandle {
  std::uint32_t index = 0;
  bool operator==(const TimerHandle&) const = default;
};

template <class Event>
class TimerTable {
  static_assert(std::is_trivially_copyable_v<Event>);

 public:
  // What an entry that came up means.
  enum class Verdict : std::uint8_t { fires, put_back, dropped };

  // A timer at rest, that fires as `event`.
  TimerHandle create(const Event& event) {
    if (free_.empty()) {
      SIM_CHECK(timers_.size() < kMaxTimers, "timers are numbered in 32 bits");
      free_.push_back(static_cast<std::uint32_t>(timers_.size()));
      timers_.emplace_back();
    }
    const TimerHandle handle{free_.back()};
    free_.pop_back();
    Timer& timer = timers_[handle.index];
    timer = Timer{};
    timer.exists = true;
    timer.event = event;
    return handle;
  }

  // Sets the timer to (due, seq), armed or not before. True: the owner must queue an entry there.
  // REQUIRES: seq is greater than any given here before
  [[nodiscard]] bool arm(TimerHandle handle, Instant due, std::uint64_t seq) {
    Timer& timer = existing(handle);
    timer.due = due;
    timer.seq = seq;
    if (timer.queued_seq != 0 && timer.queued_at <= due) return false;
    timer.queued_at = due;
    timer.queued_seq = seq;
    return true;
  }

  void cancel(TimerHandle handle) { existing(handle).seq = 0; }

  void destroy(TimerHandle handle) {
    Timer& timer = existing(handle);
    timer.exists = false;
    timer.seq = 0;
    timer.queued_seq = 0;  // an entry still queued is stale from here on, whoever gets this number next
    free_.push_back(handle.index);
  }

  bool is_armed(TimerHandle handle) const { return existing(handle).seq != 0; }
  std::optional<Instant> due(TimerHandle handle) const {
    const Timer& timer = existing(handle);
    return timer.seq != 0 ? std::optional(timer.due) : std::nullopt;
  }

  // The entry of this timer queued under `seq` has come up. On put_back the owner must queue an entry at
  // put_back_at() / put_back_seq(); on fires the timer is at rest again.
  Verdict came_up(TimerHandle handle, std::uint64_t seq) {
    Timer& timer = timers_[handle.index];
    if (timer.queued_seq != seq) return Verdict::dropped;
    timer.queued_seq = 0;
    if (timer.seq == 0) return Verdict::dropped;
    if (timer.seq == seq) {
      timer.seq = 0;
      return Verdict::fires;
    }
    timer.queued_at = timer.due;
    timer.queued_seq = timer.seq;
    return Verdict::put_back;
  }
  Instant put_back_at(TimerHandle handle) const { return timers_[handle.index].queued_at; }
  std::uint64_t put_back_seq(TimerHandle handle) const { return timers_[handle.index].queued_seq; }

  const Event& event(TimerHandle handle) const { return timers_[handle.index].event; }

 private:
  static constexpr std::size_t kMaxTimers = std::size_t{1} << 32;

  struct Timer {
    Instant due{};
    std::uint64_t seq = 0;  // of the last arming; 0: at rest
    Instant queued_at{};
    std::uint64_t queued_seq = 0;  // of the entry that counts; 0: none
    Event event{};
    bool exists = false;
  };

  Timer& existing(TimerHandle handle) {
    SIM_CHECK(handle.index < timers_.size() && timers_[handle.index].exists,
              "a destroyed timer is forgotten");
    return timers_[handle.index];
  }
  const Timer& existing(TimerHandle handle) const {
    SIM_CHECK(handle.index < timers_.size() && timers_[handle.index].exists,
              "a destroyed timer is forgotten");
    return timers_[handle.index];
  }

  std::vector<Timer> timers_;
  std::vector<std::uint32_t> free_;  // last in, first out
};

}  // namespace sim::kernel
