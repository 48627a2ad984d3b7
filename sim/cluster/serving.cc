#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/world.h"

// A request's way at a server: through the network thread of its connection, the request queue and an I/O
// thread to the handler, and the answer back through the network thread that read it.
//
// Most of this is known before it happens: what a network thread has to do, and that an I/O thread will be
// free. Then a request is planned when it is sent, and all its way is one event, that of its handler; and a
// response's is that of its arrival. Where something makes a plan untrue (a fault, a process that ends, a
// connection that breaks, an I/O thread that someone else needs first) it is cancelled before, and each step
// is an event again.
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
  if (ticket != kNoTicket && !plan(ticket)) wires.await_arrival(platform, ticket);
}

// ---- Step by step

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
  follow_moved(server);
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
  if (path.idle_io_threads() == 0) cancel_plans(server);  // one may be kept for a request that comes later
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
  MessageInFlight& message = wires.message(ticket);
  if (message.stage == Stage::planned) {
    std::erase(life.planned, ticket);
    wires.forget_plan(ticket);
    message.envelope.thread_nanos = thread_nanos(now() - message.read);
    return true;
  }
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
  const bool is_running = path.is_running(connection.network_thread);
  const auto written =
      path.begin_network_work(ticket, connection.network_thread, message.bytes, now(), thread_time(server));
  follow_moved(server);
  if (!written) return;
  if (works_ahead && is_running && wires.can_be_written_ahead(platform, index)) {
    wires.write_ahead(platform, ticket, written->at);
  } else {
    wires.arm(platform, ticket, written->at);
  }
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

// ---- Ahead of time

bool World::plan(Ticket ticket) {
  MessageInFlight& message = wires.message(ticket);
  const Connection& connection = wires.connection(message.connection);
  const ProcessId server = connection.channel.server;
  Slot& slot = this->slot(server);
  if (!works_ahead || !slot.life || takes_thread_time(server)) return false;
  if (!wires.can_be_planned(platform, ticket)) return false;
  RequestPath& path = *slot.life->path;
  if (!path.can_plan(connection.network_thread)) return false;
  message.life = platform.incarnation(server);
  const RequestPath::Plan plan =
      path.plan(ticket, connection.network_thread, message.bytes, message.arrives, now());
  slot.life->planned.push_back(ticket);
  wires.plan(platform, ticket, plan.read, plan.handled);
  follow_moved(server);
  return true;
}

// Requests that will be read later than was thought, or earlier.
void World::follow_moved(ProcessId server) {
  RequestPath& path = *life(server).path;
  if (path.moved().empty()) return;
  for (const RequestPath::Scheduled& moved : path.moved()) {
    const Duration handling = path.handling_time(wires.message(moved.ticket).bytes);
    wires.read_later(platform, moved.ticket, moved.at, moved.at + handling);
  }
  path.clear_moved();
}

void World::cancel_plans(ProcessId server) {
  if (!is_up(server) || !life(server).path) return;
  Life& life = this->life(server);
  for (const Ticket ticket : std::exchange(life.planned, {})) {
    MessageInFlight& message = wires.message(ticket);
    if (message.arrives > now()) {
      life.path->cancel(ticket, wires.connection(message.connection).network_thread, now());
      wires.cancel_plan(platform, ticket);
      continue;
    }
    wires.forget_plan(ticket);
    if (message.read > now()) {
      message.stage = Stage::read;
      life.path->enqueue_later(ticket);
      wires.arm(platform, ticket, message.read);
    } else {
      message.stage = Stage::handled;
      message.envelope.thread_nanos = thread_nanos(life.path->handling_time(message.bytes));
    }
  }
  life.path->clear_moved();
  wires.write_in_time(platform, server);
}

void World::cancel_all_plans() {
  for (std::size_t i = 0; i < slots.size(); ++i) cancel_plans(ProcessId{static_cast<std::int32_t>(i)});
}

void World::cancel_plan(std::uint32_t connection) {
  const Ticket ticket = wires.connection(connection).planned;
  if (ticket == kNoTicket || wires.message(ticket).arrives <= now()) return;
  const ProcessId server = wires.connection(connection).channel.server;
  std::erase(life(server).planned, ticket);
  life(server).path->cancel(ticket, wires.connection(connection).network_thread, now());
  wires.cancel_plan(platform, ticket);
  follow_moved(server);
}

}  // namespace sim::cluster
