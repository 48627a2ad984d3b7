#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "node/node.h"

// Many deadlines behind one timer of the process.
//
// A binary heap that knows where each key stands, so that what was completed in time leaves at once and the
// queue is never larger than what waits. Equal deadlines come out in the order in which they were added.
// The timer is set only for a deadline earlier than what it is set for; it may thus fire with nothing due.
namespace sim::server {

class DeadlineQueue {
 public:
  using Key = std::uint32_t;  // small and dense

  explicit DeadlineQueue(node::TimerId timer) : timer_(timer) {}

  bool empty() const { return heap_.empty(); }
  bool contains(Key key) const { return key < place_.size() && place_[key] != kAbsent; }

  // REQUIRES: !contains(key)
  void add(Key key, LocalTime deadline, node::Effects& out) {
    if (key >= place_.size()) place_.resize(key + 1, kAbsent);
    SIM_CHECK(place_[key] == kAbsent, "a key waits for one deadline at a time");
    heap_.push_back(Entry{deadline, next_sequence_++, key});
    place_[key] = heap_.size() - 1;
    up(heap_.size() - 1);
    arm(out);
  }

  void remove(Key key) {
    if (!contains(key)) return;
    const std::size_t at = place_[key];
    place_[key] = kAbsent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    put(at, last);
    up(at);
    down(place_[last.key]);
  }

  // The timer fired: takes the earliest key that is due; false if none is, and the timer is set again.
  bool pop_due(LocalTime now, Key& key, node::Effects& out) {
    if (armed_for_ <= now) armed_for_ = LocalTime::max();
    if (heap_.empty() || heap_.front().deadline > now) {
      arm(out);
      return false;
    }
    key = heap_.front().key;
    remove(key);
    return true;
  }

 private:
  static constexpr std::size_t kAbsent = SIZE_MAX;
  struct Entry {
    LocalTime deadline;
    std::uint64_t sequence;
    Key key;
    bool before(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence;
    }
  };

  void put(std::size_t at, const Entry& entry) {
    heap_[at] = entry;
    place_[entry.key] = at;
  }
  void up(std::size_t at) {
    const Entry entry = heap_[at];
    while (at > 0 && entry.before(heap_[(at - 1) / 2])) {
      put(at, heap_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    put(at, entry);
  }
  void down(std::size_t at) {
    const Entry entry = heap_[at];
    for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(entry)) break;
      put(at, heap_[child]);
      at = child;
    }
    put(at, entry);
  }
  void arm(node::Effects& out) {
    if (heap_.empty() || heap_.front().deadline >= armed_for_) return;
    armed_for_ = heap_.front().deadline;
    out.emplace_back(node::SetTimer{timer_, armed_for_});
  }

  node::TimerId timer_;
  std::vector<Entry> heap_;
  std::vector<std::size_t> place_;  // by key
  std::uint64_t next_sequence_ = 0;
  LocalTime armed_for_ = LocalTime::max();
};

}  // namespace sim::server
