#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "protocol/envelope.h"
#include "protocol/messages.h"

namespace sim::controller {

// Fetches of the metadata log that wait for something new. One per observer, so a plain list will do.
class ParkedFetches {
 public:
  struct Fetch {
    Channel channel;
    CorrelationId correlation = 0;
    FetchRequest request;
    LocalTime deadline{};
  };

  void park(Fetch fetch) { fetches_.push_back(std::move(fetch)); }
  std::vector<Fetch> take_all() { return std::exchange(fetches_, {}); }
  std::vector<Fetch> take_expired(LocalTime now) {
    const auto expired = std::stable_partition(fetches_.begin(), fetches_.end(),
                                               [now](const Fetch& fetch) { return fetch.deadline > now; });
    std::vector<Fetch> taken(std::make_move_iterator(expired), std::make_move_iterator(fetches_.end()));
    fetches_.erase(expired, fetches_.end());
    return taken;
  }
  void forget(const Channel& channel) {
    std::erase_if(fetches_, [&channel](const Fetch& fetch) { return fetch.channel == channel; });
  }
  std::optional<LocalTime> next_deadline() const {
    std::optional<LocalTime> next;
    for (const Fetch& fetch : fetches_) next = next ? std::min(*next, fetch.deadline) : fetch.deadline;
    return next;
  }

 private:
  std::vector<Fetch> fetches_;
};

}  // namespace sim::controller
