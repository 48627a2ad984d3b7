#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/time.h"

// Many deadlines behind one timer of a process, most of which are moved far more often than they pass:
// a member's session is put off by each heartbeat and each commit.
//
// A deadline has a due time and, as a rule, one entry in a heap. Putting it off, or cancelling it, is a
// store; its entry finds out when it comes up, and is put back. Only moving a deadline to before its entry
// makes a further one, and the old one is then stale. Deadlines of one instant pass in the order in which
// they were last armed.
namespace sim::coordinator {

template <class What>
class Deadlines;

// Stands for one deadline, in whatever it belongs to.
class DeadlineHandle {
 public:
  bool exists() const { return index_ != kNone; }

 private:
  template <class What>
  friend class Deadlines;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint32_t index_ = kNone;
};

template <class What>
class Deadlines {
 public:
  using Handle = DeadlineHandle;

  // Sets the deadline, which is made if the handle has none yet.
  void arm(Handle& handle, const What& what, LocalTime due) {
    if (!handle.exists()) handle.index_ = create();
    Deadline& deadline = deadlines_[handle.index_];
    if (!deadline.armed) ++armed_;
    deadline.what = what;
    deadline.exists = true;
    deadline.armed = true;
    deadline.due = due;
    deadline.seq = next_seq_++;
    if (deadline.entry_seq != 0 && deadline.entry_due <= due) return;
    push(deadline, handle.index_);
  }

  // No longer armed; the handle is empty afterwards, as it was made.
  void cancel(Handle& handle) {
    if (!handle.exists()) return;
    release(handle.index_);
    handle.index_ = kNone;
  }
  // Cancels all of which `is_meant` says so; whoever holds their handles forgets them.
  template <class Predicate>
  void cancel_if(Predicate is_meant) {
    for (std::uint32_t index = 0; index < deadlines_.size(); ++index) {
      if (deadlines_[index].exists && is_meant(deadlines_[index].what)) release(index);
    }
  }

  bool is_armed(Handle handle) const { return handle.exists() && deadlines_[handle.index_].armed; }
  std::size_t entries() const { return heap_.size(); }

  // When the next entry comes up: not after the next deadline.
  std::optional<LocalTime> next_entry() const {
    if (heap_.empty() || armed_ == 0) return std::nullopt;
    return heap_.front().due;
  }

  // The next deadline that has passed; it is at rest then, its handle still good for arm().
  std::optional<What> pop(LocalTime now) {
    while (!heap_.empty() && heap_.front().due <= now) {
      std::pop_heap(heap_.begin(), heap_.end(), comes_later);
      const Entry entry = heap_.back();
      heap_.pop_back();
      Deadline& deadline = deadlines_[entry.index];
      if (deadline.entry_seq != entry.seq) continue;
      deadline.entry_seq = 0;
      if (!deadline.armed) continue;
      if (deadline.seq == entry.seq) {
        deadline.armed = false;
        --armed_;
        return deadline.what;
      }
      push(deadline, entry.index);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kNone = DeadlineHandle::kNone;

  struct Deadline {
    What what{};
    bool exists = false;  // some handle stands for it
    bool armed = false;
    LocalTime due{};
    std::uint64_t seq = 0;  // of the last arming
    LocalTime entry_due{};
    std::uint64_t entry_seq = 0;  // of the entry that counts; 0 = none
  };
  struct Entry {
    LocalTime due;
    std::uint64_t seq;
    std::uint32_t index;
  };

  static bool comes_later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : a.seq > b.seq;
  }

  std::uint32_t create() {
    if (free_.empty()) {
      SIM_CHECK(deadlines_.size() < kNone, "deadlines are numbered in 32 bits");
      deadlines_.emplace_back();
      return static_cast<std::uint32_t>(deadlines_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  void release(std::uint32_t index) {
    if (deadlines_[index].armed) --armed_;
    deadlines_[index] = Deadline{};
    free_.push_back(index);
  }

  void push(Deadline& deadline, std::uint32_t index) {
    deadline.entry_due = deadline.due;
    deadline.entry_seq = deadline.seq;
    heap_.push_back(Entry{deadline.due, deadline.seq, index});
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
  }

  std::vector<Deadline> deadlines_;
  std::vector<std::uint32_t> free_;  // last in, first out
  std::vector<Entry> heap_;          // by (due, seq), the next in front
  std::size_t armed_ = 0;
  std::uint64_t next_seq_ = 1;
};

}  // namespace sim::coordinator
