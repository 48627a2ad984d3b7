#include "server/deadline_queue.h"

#include <doctest/doctest.h>

#include <map>

#include "base/rng.h"

namespace sim::server {
namespace {

TEST_CASE("deadlines come due in order, ties as added, and what was removed never does") {
  Rng rng{5, "deadlines"};
  for (int round = 0; round < 50; ++round) {
    DeadlineQueue queue(node::TimerId{});
    node::Effects out;
    std::map<std::pair<LocalTime, int>, DeadlineQueue::Key> model;
    std::map<DeadlineQueue::Key, std::pair<LocalTime, int>> place;
    int sequence = 0;
    for (int i = 0; i < 200; ++i) {
      const auto key = static_cast<DeadlineQueue::Key>(rng.below(40));
      if (place.contains(key)) {
        queue.remove(key);
        model.erase(place[key]);
        place.erase(key);
      } else {
        const LocalTime deadline{Duration{static_cast<std::int64_t>(rng.below(30))}};
        queue.add(key, deadline, out);
        place[key] = {deadline, sequence};
        model[{deadline, sequence++}] = key;
      }
    }
    std::vector<DeadlineQueue::Key> want;
    for (const auto& [when, key] : model) {
      if (when.first <= LocalTime{Duration{20}}) want.push_back(key);
    }
    std::vector<DeadlineQueue::Key> got;
    for (DeadlineQueue::Key key = 0; queue.pop_due(LocalTime{Duration{20}}, key, out);) got.push_back(key);
    CHECK(got == want);
  }
}

TEST_CASE("the timer is set for an earlier deadline only, and again when it fired too early") {
  DeadlineQueue queue(node::TimerId{});
  node::Effects out;
  const auto set_for = [&out] { return std::get<node::SetTimer>(out.back()).deadline; };
  queue.add(1, LocalTime{10s}, out);
  CHECK(set_for() == LocalTime{10s});
  queue.add(2, LocalTime{20s}, out);
  CHECK(out.size() == 1);
  queue.add(3, LocalTime{5s}, out);
  CHECK(set_for() == LocalTime{5s});
  queue.remove(3);
  CHECK(out.size() == 2);
  DeadlineQueue::Key key = 0;
  CHECK_FALSE(queue.pop_due(LocalTime{5s}, key, out));
  CHECK(set_for() == LocalTime{10s});
}

}  // namespace
}  // namespace sim::server
