#include "cluster/request_path.h"

#include <algorithm>

#include "base/check.h"

namespace sim::cluster {
RequestPath::RequestPath(std::int32_t network_threads, std::int32_t io_threads,
                         std::int32_t queued_max_requests, const MachineSpec& machine, const Rng& rng)
    : machine_(machine),
      rng_(rng),
      threads_(static_cast<std::size_t>(network_threads)),
      queued_max_requests_(static_cast<std::size_t>(queued_max_requests)),
      idle_io_threads_(io_threads) {}

std::int32_t RequestPath::accept() {
  const std::int32_t thread = next_thread_;
  next_thread_ = (next_thread_ + 1) % static_cast<std::int32_t>(threads_.size());
  return thread;
}

Duration RequestPath::cpu_time(std::int64_t per_request, std::int64_t ns_per_kib, std::int64_t bytes) const {
  return at_most_endless((int128{per_request} + int128{ns_per_kib} * bytes / 1024) * cpu_factor_);
}

RequestPath::Work& RequestPath::work(Ticket ticket) {
  if (ticket >= works_.size()) works_.resize(std::max<std::size_t>(ticket + 1, works_.size() * 2));
  return works_[ticket];
}

std::optional<RequestPath::Scheduled> RequestPath::begin_network_work(Ticket ticket, std::int32_t thread,
                                                                      std::int64_t bytes, Instant now,
                                                                      const ThreadTime& time) {
  NetworkThread& runs_on = threads_[static_cast<std::size_t>(thread)];
  work(ticket) = Work{thread, runs_on.delayed};
  const std::int64_t per_request = machine_.network_per_request.sample(rng_);
  const Duration takes = cpu_time(per_request, machine_.network_ns_per_kib, bytes);
  const Instant ready = std::max(runs_on.blocked ? runs_on.blocked_since : now, runs_on.busy_until);
  runs_on.busy_until = time.done(now, ready, takes);
  if (runs_on.blocked) {
    runs_on.stalled.push_back({ticket, runs_on.busy_until});
    return std::nullopt;
  }
  return Scheduled{ticket, runs_on.busy_until};
}

bool RequestPath::network_work_done(Ticket ticket, Instant now, std::optional<Scheduled>& again) {
  Work& done = work(ticket);
  NetworkThread& thread = threads_[static_cast<std::size_t>(done.thread)];
  if (thread.blocked) {
    thread.stalled.push_back({ticket, now});
    return false;
  }
  if (done.delay_seen != thread.delayed) {
    again = Scheduled{ticket, now + (thread.delayed - done.delay_seen)};
    done.delay_seen = thread.delayed;
    return false;
  }
  return true;
}

bool RequestPath::enqueue(Ticket ticket, Instant now) {
  if (idle_io_threads_ > 0) {
    --idle_io_threads_;
    return true;
  }
  if (queue_.size() < queued_max_requests_) {
    queue_.push_back(ticket);
    return false;
  }
  const std::int32_t index = work(ticket).thread;
  NetworkThread& thread = threads_[static_cast<std::size_t>(index)];
  thread.blocked = true;
  thread.blocked_since = now;
  thread.blocked_by = ticket;
  blocked_threads_.push_back(index);
  return false;
}

Instant RequestPath::begin_handling(Ticket ticket, std::int64_t bytes, Instant now, const ThreadTime& time) {
  work(ticket).delay_seen = paused_;
  const std::int64_t per_request = machine_.io_per_request.sample(rng_);
  return time.done(now, now, cpu_time(per_request, machine_.io_ns_per_kib, bytes));
}

bool RequestPath::handling_done(Ticket ticket, Instant now, std::optional<Scheduled>& again) {
  if (paused_since_) {
    stalled_handlers_.push_back({ticket, now});
    return false;
  }
  Work& done = work(ticket);
  if (done.delay_seen == paused_) return true;
  again = Scheduled{ticket, now + (paused_ - done.delay_seen)};
  done.delay_seen = paused_;
  return false;
}

std::optional<RequestPath::Ticket> RequestPath::io_thread_free(Instant now) {
  if (queue_.empty()) {
    ++idle_io_threads_;
    return std::nullopt;
  }
  const Ticket next = queue_.front();
  queue_.pop_front();
  if (!blocked_threads_.empty()) unblock_one(now);
  return next;
}

void RequestPath::clear_released() {
  released_.clear();
  released_handlers_.clear();
}

// A thread that waits for a place in the queue goes on waiting.
void RequestPath::pause(Instant now) {
  paused_since_ = now;
  for (NetworkThread& thread : threads_) {
    if (thread.blocked) continue;
    thread.blocked = true;
    thread.blocked_since = now;
    thread.blocked_by.reset();
  }
}

void RequestPath::resume(Instant now) {
  SIM_CHECK(paused_since_.has_value(), "only what is paused is resumed");
  paused_ += now - *paused_since_;
  paused_since_.reset();
  for (NetworkThread& thread : threads_) {
    if (thread.blocked && !thread.blocked_by) go_on(thread, now);
  }
  for (const Stalled& stalled : stalled_handlers_) {
    Work& later = work(stalled.ticket);
    released_handlers_.push_back({stalled.ticket, stalled.came_up + (paused_ - later.delay_seen)});
    later.delay_seen = paused_;
  }
  stalled_handlers_.clear();
}

std::vector<RequestPath::Ticket> RequestPath::waiting() const {
  std::vector<Ticket> tickets(queue_.begin(), queue_.end());
  for (const NetworkThread& thread : threads_) {
    if (thread.blocked_by) tickets.push_back(*thread.blocked_by);
    for (const Stalled& stalled : thread.stalled) tickets.push_back(stalled.ticket);
  }
  for (const Stalled& stalled : stalled_handlers_) tickets.push_back(stalled.ticket);
  return tickets;
}

// The thread that has waited longest puts its request into the place that has become free.
void RequestPath::unblock_one(Instant now) {
  NetworkThread& thread = threads_[static_cast<std::size_t>(blocked_threads_.front())];
  blocked_threads_.pop_front();
  SIM_CHECK(queue_.size() < queued_max_requests_, "a place in the request queue was just freed");
  queue_.push_back(*thread.blocked_by);
  thread.blocked_by.reset();
  go_on(thread, now);
}

// It does everything that waits for it as much later as it was blocked.
void RequestPath::go_on(NetworkThread& thread, Instant now) {
  const Duration blocked_for = now - thread.blocked_since;
  thread.blocked = false;
  thread.delayed += blocked_for;
  thread.busy_until += blocked_for;
  for (const Stalled& stalled : thread.stalled) {
    Work& later = work(stalled.ticket);
    released_.push_back({stalled.ticket, stalled.came_up + (thread.delayed - later.delay_seen)});
    later.delay_seen = thread.delayed;
  }
  thread.stalled.clear();
}

}  // namespace sim::cluster
