#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/world.h"

// A request's way at a server: through the network thread of its connection, the request queue and an I/O
// thread to the handler, and the answer back through the network thread that read it.
namespace sim::cluster {
namespace {

using Stage = MessageInFlight::Stage;

std::int32_t thread_nanos(Duration handling) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::min<std::int64_t>(kMost, nanos(handling)));
}

}  // namespace

void World::send(Envelope&& envelope) {
  if (envelope.response) return respond(std::move(envelope));
  const Ticket ticket = wires.send_request(platform, std::move(envelope));
  if (ticket != kNoTicket) wires.await_arrival(platform, ticket);
}

void World::read_next(std::uint32_t connection) {
  if (!is_up(wires.connection(connection).channel.server)) return;  // it was killed, the connection lives on
  if (const auto ticket = wires.next_to_read(platform, connection)) begin_network_work(*ticket);
}

void World::begin_network_work(Ticket ticket) {
  MessageInFlight& message = wires.message(ticket);
  const Connection& connection = wires.connection(message.connection);
  const ProcessId server = connection.channel.server;
  message.stage = Stage::read;
  message.life = platform.incarnation(server);
  const auto scheduled = life(server).path->begin_network_work(ticket, connection.network_thread,
                                                               message.bytes, now(), thread_time(server));
  if (scheduled) wires.arm(platform, ticket, scheduled->at);
}

void World::network_work_done(ProcessId server, Ticket ticket) {
  RequestPath& path = *life(server).path;
  std::optional<RequestPath::Scheduled> again;
  if (!path.network_work_done(ticket, now(), again)) {
    if (again) wires.arm(platform, ticket, again->at);
    return;
  }
  MessageInFlight& message = wires.message(ticket);
  if (message.stage == Stage::written) {
    const std::uint32_t connection = message.connection;
    if (wires.response_written(platform, ticket)) request_answered(connection);
    return;
  }
  wires.tell_progress(platform, observe::RequestStage::queued, message, true);
  message.stage = Stage::queued;
  if (path.enqueue(ticket, now())) begin_handling(server, ticket);
}

void World::begin_handling(ProcessId server, Ticket ticket) {
  MessageInFlight& message = wires.message(ticket);
  wires.tell_progress(platform, observe::RequestStage::dequeued, message, true);
  message.stage = Stage::handled;
  const Instant done = life(server).path->begin_handling(ticket, message.bytes, now(), thread_time(server));
  message.envelope.thread_nanos = thread_nanos(done - now());
  wires.arm(platform, ticket, done);
}

bool World::handler_done(ProcessId server, Ticket ticket) {
  Life& life = this->life(server);
  std::optional<RequestPath::Scheduled> again;
  const bool is_done = life.path->handling_done(ticket, now(), again);
  if (again) wires.arm(platform, ticket, again->at);
  return is_done;
}

void World::io_thread_free(ProcessId server) {
  if (const auto next = life(server).path->io_thread_free(now())) begin_handling(server, *next);
  schedule_released(server);
}

void World::schedule_released(ProcessId server) {
  RequestPath& path = *life(server).path;
  for (const RequestPath::Scheduled& released : path.released())
    wires.arm(platform, released.ticket, released.at);
  for (const RequestPath::Scheduled& released : path.released_handlers())
    wires.arm(platform, released.ticket, released.at);
  path.clear_released();
}

void World::respond(Envelope&& response) {
  const std::uint32_t index = wires.asked_on(response);
  if (index == Connection::kNoConnection) return;
  if (response.throttle_ms > 0) wires.throttle(index, now() + from_millis(response.throttle_ms));
  if (std::holds_alternative<NoOpResponse>(response.message)) return request_answered(index);
  const Ticket ticket = wires.new_response(platform, std::move(response), index);
  const Connection& connection = wires.connection(index);
  const ProcessId server = connection.channel.server;
  RequestPath& path = *life(server).path;
  MessageInFlight& message = wires.message(ticket);
  message.stage = Stage::written;
  message.life = platform.incarnation(server);
  const auto written =
      path.begin_network_work(ticket, connection.network_thread, message.bytes, now(), thread_time(server));
  if (written) wires.arm(platform, ticket, written->at);
}

void World::request_answered(std::uint32_t connection) {
  if (wires.request_answered(platform, connection)) read_next(connection);
}

// ---- Cores

ThreadTime World::thread_time(ProcessId id) {
  const std::int32_t machine = spec(id).processors;
  Slot& of = slot(id);
  return {machine < 0 ? nullptr : &processors[static_cast<std::size_t>(machine)],
          of.pauses ? &*of.pauses : nullptr};
}

Instant World::wakeup_done(ProcessId id, Instant ready) {
  Slot& of = slot(id);
  const std::int64_t takes = spec(id).processors < 0 ? 0 : processes->cpu.per_wakeup.sample(of.wakeups_rng);
  return thread_time(id).done(now(), ready, scaled(Duration{takes}, of.cpu_factor));
}

bool World::timer_waits(ProcessId id, node::TimerId timer) {
  if (!takes_thread_time(id)) return false;
  Timer& due = life(id).timers.at(timer);
  if (std::exchange(due.has_core, false)) return false;
  const Instant done = wakeup_done(id, now());
  if (done <= now()) return false;
  due.has_core = true;
  platform.kernel().arm(due.handle, done);
  return true;
}

// A thread takes the answers of a connection one after the other.
bool World::response_waits(ProcessId id, Ticket ticket) {
  MessageInFlight& message = wires.message(ticket);
  if (message.stage == Stage::has_core || !takes_thread_time(id)) return false;
  const Connection& connection = wires.connection(message.connection);
  if (connection.generation != message.generation) return false;
  const Instant done = wakeup_done(id, std::max(now(), connection.answer_taken));
  if (done <= now()) return false;
  wires.answer_will_be_taken(message.connection, done);
  message.stage = Stage::has_core;
  wires.arm(platform, ticket, done);
  return true;
}

}  // namespace sim::cluster
