#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "cluster/processors.h"
#include "cluster/spec.h"

// A server's way from a request's bytes to its handler and back (SocketServer, Processor,
// RequestChannel, KafkaRequestHandlerPool in Kafka): network threads, each with connections of its own; one
// bounded request queue; I/O threads that take from it. Latency grows with load because threads are
// busy and queues are full, and for no other reason. Threads that share cores wait for one whenever they have
// something to do (see Processors).
//
// It knows requests as tickets and asks its owner to schedule things; it never sees a message. A network
// thread that finds the queue full (queued.max.requests) blocks, and all its other work with it. A pause
// stops all threads.
namespace sim::cluster {

class RequestPath {
 public:
  using Ticket = std::uint32_t;
  // The ticket's network work (reading a request, writing a response) will be done then.
  struct Scheduled {
    Ticket ticket;
    Instant at;
  };

  RequestPath(std::int32_t network_threads, std::int32_t io_threads, std::int32_t queued_max_requests,
              const MachineSpec& machine, const Rng& rng);

  // The network thread of a new connection, in turn.
  std::int32_t accept();

  // Network work for `ticket`, begun when its thread comes to it. Nothing: the thread is blocked, and
  // released() will hand it out.
  std::optional<Scheduled> begin_network_work(Ticket ticket, std::int32_t thread, std::int64_t bytes,
                                              Instant now, const ThreadTime& time = {});
  // The work scheduled for the ticket has come up. False: its thread is or was blocked meanwhile, and it will
  // come up again as `again` says, or when released() hands it out.
  bool network_work_done(Ticket ticket, Instant now, std::optional<Scheduled>& again);

  // A request has been read: an I/O thread takes it, or it queues, or it blocks its network thread.
  // True: an I/O thread took it; the owner begins to handle it.
  bool enqueue(Ticket ticket, Instant now);
  // When the handler that is begun now will be done.
  Instant begin_handling(Ticket ticket, std::int64_t bytes, Instant now, const ThreadTime& time = {});
  // The handler's time has come up. False: the process was paused meanwhile, and it will come up again as
  // `again` says, or when released_handlers() hands it out.
  bool handling_done(Ticket ticket, Instant now, std::optional<Scheduled>& again);
  // An I/O thread has become free: the next request it takes, if any.
  std::optional<Ticket> io_thread_free(Instant now);
  // Work that a thread which was blocked can now go on with.
  const std::vector<Scheduled>& released() const { return released_; }
  const std::vector<Scheduled>& released_handlers() const { return released_handlers_; }
  void clear_released();

  // The process is stopped: its threads stand still, and go on as much later.
  void pause(Instant now);
  void resume(Instant now);

  // All that threads begin from now on takes so many times as long as it should; of the machine, whoever runs
  // on it.
  void set_cpu_factor(std::int64_t factor) { cpu_factor_ = factor; }

  // The tickets for which nothing is scheduled; once the process is gone nobody will handle them.
  std::vector<Ticket> waiting() const;
  // Draws of what threads take; a process that is started again goes on with them.
  const Rng& rng() const { return rng_; }

  std::int32_t idle_io_threads() const { return idle_io_threads_; }

  // What is drawn from here on is drawn anew.
  void reseed(std::string_view name) { rng_ = rng_.child(name); }

 private:
  struct Stalled {
    Ticket ticket;
    Instant came_up;
  };
  struct NetworkThread {
    Instant busy_until{};
    Duration delayed{};  // by all blockings so far
    bool blocked = false;
    Instant blocked_since{};
    std::optional<Ticket> blocked_by{};  // the request that found the queue full; none: the process is paused
    std::vector<Stalled> stalled{};
  };
  struct Work {  // by ticket
    std::int32_t thread = 0;
    Duration delay_seen{};  // of its thread; of the process while it is handled
  };

  Duration cpu_time(std::int64_t per_request, std::int64_t ns_per_kib, std::int64_t bytes) const;
  void unblock_one(Instant now);
  void go_on(NetworkThread& thread, Instant now);
  Work& work(Ticket ticket);

  MachineSpec machine_;
  std::int64_t cpu_factor_ = 1;
  Rng rng_;
  std::vector<NetworkThread> threads_;
  std::vector<Work> works_;
  std::deque<Ticket> queue_;
  std::deque<std::int32_t> blocked_threads_;
  std::vector<Scheduled> released_;
  std::vector<Scheduled> released_handlers_;
  std::size_t queued_max_requests_;
  std::int32_t idle_io_threads_;
  std::int32_t next_thread_ = 0;
  std::optional<Instant> paused_since_;
  Duration paused_{};  // so far in all
  std::vector<Stalled> stalled_handlers_;
};

}  // namespace sim::cluster
