// Threads and queues of a server: who waits for whom.
#include "cluster/request_path.h"

#include <doctest/doctest.h>

namespace sim::cluster {
namespace {

RequestPath path(std::int32_t network_threads, std::int32_t io_threads, std::int32_t queue) {
  MachineSpec machine{Distribution::constant(10), 0, Distribution::constant(100), 1'024};
  return RequestPath(network_threads, io_threads, queue, machine, Rng(1, "threads"));
}

TEST_CASE("connections are dealt to network threads in turn") {
  RequestPath path = sim::cluster::path(3, 1, 1);
  for (const std::int32_t thread : {0, 1, 2, 0, 1}) CHECK(path.accept() == thread);
}

TEST_CASE("a network thread does one thing after the other, two threads do two at once") {
  RequestPath path = sim::cluster::path(2, 1, 1);
  CHECK(nanos(path.begin_network_work(0, 0, 0, Instant{})->at) == 10);
  CHECK(nanos(path.begin_network_work(1, 0, 0, Instant{})->at) == 20);
  CHECK(nanos(path.begin_network_work(2, 1, 0, Instant{})->at) == 10);
}

TEST_CASE("handler time grows with bytes") {
  RequestPath path = sim::cluster::path(1, 1, 1);
  CHECK(path.begin_handling(1, 0, Instant{}) == instant_at(100));
  CHECK(path.begin_handling(1, 1'024, Instant{}) == instant_at(100 + 1'024));
}

TEST_CASE(
    "a full request queue blocks the network thread, and everything it had to do happens later by as much") {
  RequestPath path = sim::cluster::path(1, 1, 1);
  for (RequestPath::Ticket ticket = 0; ticket < 4; ++ticket) path.begin_network_work(ticket, 0, 0, Instant{});
  std::optional<RequestPath::Scheduled> again;
  // Ticket 0 takes the I/O thread, 1 the only place in the queue, 2 finds it full.
  REQUIRE(path.network_work_done(0, instant_at(10), again));
  CHECK(path.enqueue(0, instant_at(10)));
  REQUIRE(path.network_work_done(1, instant_at(20), again));
  CHECK_FALSE(path.enqueue(1, instant_at(20)));
  REQUIRE(path.network_work_done(2, instant_at(30), again));
  CHECK_FALSE(path.enqueue(2, instant_at(30)));
  // 3 comes up while the thread is blocked; 4 is begun while it is.
  CHECK_FALSE(path.network_work_done(3, instant_at(40), again));
  CHECK_FALSE(again.has_value());
  CHECK_FALSE(path.begin_network_work(4, 0, 0, instant_at(60)).has_value());
  CHECK(path.waiting().size() == 4);
  // The I/O thread becomes free at 110: 1 is taken, 2 gets its place, the thread goes on 80 later.
  CHECK(path.io_thread_free(instant_at(110)) == RequestPath::Ticket{1});
  REQUIRE(path.released().size() == 2);
  CHECK(path.released()[0].ticket == 3);
  CHECK(nanos(path.released()[0].at) == 120);
  CHECK(path.released()[1].ticket == 4);
  CHECK(nanos(path.released()[1].at) == 130);
  path.clear_released();
  CHECK(path.network_work_done(3, instant_at(120), again));
  CHECK(path.io_thread_free(instant_at(210)) == RequestPath::Ticket{2});
  CHECK_FALSE(path.io_thread_free(instant_at(310)).has_value());
  CHECK(path.idle_io_threads() == 1);
}

TEST_CASE("work that was scheduled before a blocking and comes up after it comes up again") {
  RequestPath path = sim::cluster::path(1, 1, 1);
  for (RequestPath::Ticket ticket = 0; ticket < 3; ++ticket) path.begin_network_work(ticket, 0, 0, Instant{});
  path.begin_network_work(3, 0, 1'000, Instant{});
  std::optional<RequestPath::Scheduled> again;
  for (RequestPath::Ticket ticket = 0; ticket < 3; ++ticket) {
    REQUIRE(path.network_work_done(ticket, instant_at(10 * (ticket + 1)), again));
    path.enqueue(ticket, instant_at(10 * (ticket + 1)));
  }
  path.io_thread_free(instant_at(35));  // blocked from 30 to 35
  CHECK_FALSE(path.network_work_done(3, instant_at(40), again));
  REQUIRE(again.has_value());
  CHECK(nanos(again->at) == 45);
  CHECK(path.network_work_done(3, instant_at(45), again));
}

}  // namespace
}  // namespace sim::cluster
