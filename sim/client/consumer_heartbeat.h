#pragma once

#include <algorithm>

#include "base/time.h"
#include "client/config.h"
#include "node/backoff.h"

// The clocks of a group member (Heartbeat in Kafka): when the next heartbeat is due, until when the
// coordinator is believed to be well, and until when the application is believed to be alive.
namespace sim::client {

class Heartbeat {
 public:
  explicit Heartbeat(const ConsumerConfig& config)
      : interval_(from_millis(config.heartbeat_interval_ms)),
        session_timeout_(from_millis(config.session_timeout_ms)),
        max_poll_interval_(from_millis(config.max_poll_interval_ms)),
        retry_backoff_(from_millis(config.retry_backoff_ms)),
        retry_backoff_max_(from_millis(config.retry_backoff_max_ms)) {}

  void reset_timeouts(LocalTime now) {
    reset_session_timeout(now);
    polled(now);
    next_ = now + interval_;
  }
  void reset_session_timeout(LocalTime now) { session_ends_ = now + session_timeout_; }
  void polled(LocalTime now) { poll_ends_ = now + max_poll_interval_; }
  void sent(LocalTime now) { next_ = now + interval_; }
  void received(LocalTime now) {
    failures_ = 0;
    reset_session_timeout(now);
  }
  void failed(LocalTime now, Rng& rng) {
    next_ = now + node::exponential_backoff(retry_backoff_, retry_backoff_max_, failures_, rng);
    ++failures_;
  }

  LocalTime next() const { return next_; }
  LocalTime session_ends() const { return session_ends_; }
  LocalTime poll_ends() const { return poll_ends_; }

 private:
  Duration interval_, session_timeout_, max_poll_interval_, retry_backoff_, retry_backoff_max_;
  LocalTime next_{}, session_ends_{}, poll_ends_{};
  std::int32_t failures_ = 0;
};

}  // namespace sim::client
