#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/world.h"

// A request's way at a server: through the network thread of its connection, the request queue and an I/O
// thread to the handler, and the answer back through the network thread that read it.
namespace sim::cluster {

void World::send(Envelope envelope) {
  if (envelope.response) return respond(std::move(envelope));
  wires.send_request(platform, std::move(envelope));
}

void World::read_next(std::uint32_t connection) {
  if (const auto ticket = wires.next_to_read(platform, connection)) begin_network_work(*ticket);
}

void World::begin_network_work(Ticket ticket) {
  const MessageInFlight& message = wires.message(ticket);
  const Connection& connection = wires.connection(message.connection);
  const ProcessId server = connection.channel.server;
  const auto scheduled =
      life(server).path->begin_network_work(ticket, connection.network_thread, message.bytes, now());
  if (scheduled) platform.schedule_in_life(scheduled->at, EventKind::network_work_done, server, ticket);
}

void World::network_work_done(ProcessId server, Ticket ticket) {
  RequestPath& path = *life(server).path;
  std::optional<RequestPath::Scheduled> again;
  if (!path.network_work_done(ticket, now(), again)) {
    if (again) platform.schedule_in_life(again->at, EventKind::network_work_done, server, ticket);
    return;
  }
  const MessageInFlight& message = wires.message(ticket);
  if (message.is_written) {
    const std::uint32_t connection = message.connection;
    if (wires.response_written(platform, ticket)) request_answered(connection);
    return;
  }
  wires.tell_progress(platform, observe::RequestStage::queued, message, true);
  if (path.enqueue(ticket, now())) begin_handling(server, ticket);
}

void World::begin_handling(ProcessId server, Ticket ticket) {
  MessageInFlight& message = wires.message(ticket);
  wires.tell_progress(platform, observe::RequestStage::dequeued, message, true);
  const Instant done = life(server).path->begin_handling(ticket, message.bytes, now());
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  message.envelope.thread_nanos =
      static_cast<std::int32_t>(std::min<std::int64_t>(kMost, nanos(done) - nanos(now())));
  platform.schedule_in_life(done, EventKind::handler_done, server, ticket);
}

std::optional<Envelope> World::handler_done(ProcessId server, Ticket ticket) {
  std::optional<RequestPath::Scheduled> again;
  if (!life(server).path->handling_done(ticket, now(), again)) {
    if (again) platform.schedule_in_life(again->at, EventKind::handler_done, server, ticket);
    return {};
  }
  MessageInFlight& message = wires.message(ticket);
  Envelope request = std::move(message.envelope);
  request.correlation = message.served_as;
  wires.free_message(ticket);
  return request;
}

void World::io_thread_free(ProcessId server) {
  if (const auto next = life(server).path->io_thread_free(now())) begin_handling(server, *next);
  schedule_released(server);
}

void World::schedule_released(ProcessId server) {
  RequestPath& path = *life(server).path;
  for (const RequestPath::Scheduled& released : path.released())
    platform.schedule_in_life(released.at, EventKind::network_work_done, server, released.ticket);
  for (const RequestPath::Scheduled& released : path.released_handlers())
    platform.schedule_in_life(released.at, EventKind::handler_done, server, released.ticket);
  path.clear_released();
}

void World::respond(Envelope response) {
  const std::uint32_t connection = wires.asked_on(response);
  if (connection == Connection::kNoConnection) return;
  if (response.throttle_ms > 0) wires.throttle(connection, now() + from_millis(response.throttle_ms));
  if (std::holds_alternative<NoOpResponse>(response.message)) return request_answered(connection);
  begin_network_work(wires.new_response(platform, std::move(response), connection));
}

void World::request_answered(std::uint32_t connection) {
  if (wires.request_answered(platform, connection)) read_next(connection);
}

}  // namespace sim::cluster
