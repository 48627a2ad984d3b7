#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "cluster/cluster.h"
#include "net/retransmission.h"

// A message's way: over the wire in order of its connection, at a server through network threads, request
// queue and I/O threads to the handler, and the answer back through the network thread that read the request.
namespace sim::cluster {

std::uint32_t Cluster::new_message(Envelope envelope, const Connection& connection, std::uint32_t index) {
  if (free_messages_.empty()) {
    free_messages_.push_back(static_cast<std::uint32_t>(messages_.size()));
    messages_.emplace_back();
  }
  const std::uint32_t ticket = free_messages_.back();
  free_messages_.pop_back();
  Message& message = messages_[ticket];
  message.bytes = wire_size(envelope.message);
  message.tracked = messages_wanted_ || std::holds_alternative<ProduceRequest>(envelope.message) ||
                    std::holds_alternative<ProduceResponse>(envelope.message);
  message.envelope = std::move(envelope);
  message.connection = index;
  message.generation = connection.generation;
  return ticket;
}

void Cluster::free_message(std::uint32_t ticket) {
  messages_[ticket].envelope.message = ApiVersionsRequest{};  // lets go of shared batches
  free_messages_.push_back(ticket);
}

void Cluster::send(Envelope envelope) {
  if (envelope.response) return respond(std::move(envelope));
  const std::uint32_t index = last_opened(envelope.channel);
  if (index == Connection::kNoConnection) return;
  const Connection& connection = connections_[index];
  if (connection.state != Connection::State::open) return;
  transmit(new_message(std::move(envelope), connection, index));
}

void Cluster::transmit(std::uint32_t ticket) {
  const Message& message = messages_[ticket];
  kernel_.fingerprint().add(static_cast<std::uint64_t>(message.bytes) << 32 |
                            static_cast<std::uint32_t>(message.envelope.correlation));
  if (messages_wanted_) tell(message.envelope.from(), observe::MessageSent{&message.envelope, message.bytes});
  put_on_wire(ticket);
}

void Cluster::put_on_wire(std::uint32_t ticket) {
  const Message& message = messages_[ticket];
  const bool to_server = !message.envelope.response;
  if (troubles_ != 0 && !passes(message.connection, to_server, ticket)) return;
  const ProcessId to = message.envelope.to();
  const net::Endpoint here = machine_of(message.envelope.from());
  const net::Endpoint there = machine_of(to);
  Instant at = network_.arrival(here, there, message.bytes, kernel_.now());
  if (troubles_ != 0) {
    at += network_.interference().hindrance(
        {here, there, message.bytes, kernel_.now(), net::kFirstRetransmission});
  }
  Instant& last = flow(message.connection, to_server).last_arrival;
  last = std::max(last, at);
  schedule(last, EventKind::message_arrives, to, ticket, message.generation);
}

void Cluster::message_arrives(std::uint32_t ticket, ProcessId at) {
  Message& message = messages_[ticket];
  const std::uint32_t index = message.connection;
  Connection& connection = connections_[index];
  const bool is_response = message.envelope.response;
  if (connection.generation != message.generation) return free_message(ticket);
  // Its machine went off meanwhile: it will be sent again.
  if (troubles_ != 0 && !has_power(at)) return stall(index, !is_response, ticket);
  if (is_response) {
    if (connection.state != Connection::State::open) {
      reset_server(index);
      return free_message(ticket);
    }
    node::Received received{std::move(message.envelope)};
    if (messages_wanted_) tell(at, observe::MessageDelivered{&received.envelope});
    free_message(ticket);
    return step(at, std::move(received));
  }
  if (!connection.accepted) {  // the server's end is gone; a machine that is up says so
    reset_client(index);
    return free_message(ticket);
  }
  if (messages_wanted_) tell(at, observe::MessageDelivered{&message.envelope});
  progress(observe::RequestStage::received, message, true);
  connection.socket.push_back(ticket);
  begin_reading(index);
}

void Cluster::begin_reading(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.muted) return;
  if (connection.socket.empty()) {
    if (!connection.end_of_stream) return;
    return schedule(kernel_.now(), EventKind::close_reaches_server, connection.channel.server, index,
                    connection.generation);
  }
  const std::uint32_t ticket = connection.socket.front();
  connection.socket.pop_front();
  Message& message = messages_[ticket];
  message.is_written = false;
  message.served_as = static_cast<CorrelationId>(requests_served_++);
  connection.muted = true;
  connection.under_way = message.served_as;
  connection.asked = message.envelope.correlation;
  begin_network_work(connection.channel.server, connection, ticket);
}

void Cluster::begin_network_work(ProcessId server, const Connection& connection, std::uint32_t ticket) {
  Slot& at = slot(server);
  const auto scheduled =
      at.path->begin_network_work(ticket, connection.network_thread, messages_[ticket].bytes, kernel_.now());
  if (scheduled)
    schedule(scheduled->at, EventKind::network_work_done, server, ticket, at.incarnation.value());
}

void Cluster::network_work_done(ProcessId server, std::uint32_t ticket) {
  Slot& at = slot(server);
  std::optional<RequestPath::Scheduled> again;
  if (!at.path->network_work_done(ticket, kernel_.now(), again)) {
    if (again) schedule(again->at, EventKind::network_work_done, server, ticket, at.incarnation.value());
    return;
  }
  if (messages_[ticket].is_written) return response_written(ticket);
  progress(observe::RequestStage::queued, messages_[ticket], true);
  if (at.path->enqueue(ticket, kernel_.now())) begin_handling(server, ticket);
}

void Cluster::begin_handling(ProcessId server, std::uint32_t ticket) {
  Slot& at = slot(server);
  progress(observe::RequestStage::dequeued, messages_[ticket], true);
  const Instant done = at.path->begin_handling(ticket, messages_[ticket].bytes, kernel_.now());
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  messages_[ticket].envelope.thread_nanos =
      static_cast<std::int32_t>(std::min<std::int64_t>(kMost, nanos(done) - nanos(kernel_.now())));
  schedule(done, EventKind::handler_done, server, ticket, at.incarnation.value());
}

void Cluster::handler_done(ProcessId server, std::uint32_t ticket) {
  const Incarnation incarnation = slot(server).incarnation;
  std::optional<RequestPath::Scheduled> again;
  if (!slot(server).path->handling_done(ticket, kernel_.now(), again)) {
    if (again) schedule(again->at, EventKind::handler_done, server, ticket, incarnation.value());
    return;
  }
  node::Received received{std::move(messages_[ticket].envelope)};
  received.envelope.correlation = messages_[ticket].served_as;
  free_message(ticket);
  handling_at_ = server;
  handler_write_.reset();
  step(server, std::move(received));
  handling_at_ = kNoProcess;
  if (!handler_write_ && slot(server).incarnation == incarnation) io_thread_free(server);
}

void Cluster::io_thread_free(ProcessId server) {
  if (const auto next = slot(server).path->io_thread_free(kernel_.now())) begin_handling(server, *next);
  schedule_released(server);
}

void Cluster::schedule_released(ProcessId server) {
  Slot& at = slot(server);
  for (const RequestPath::Scheduled& released : at.path->released()) {
    schedule(released.at, EventKind::network_work_done, server, released.ticket, at.incarnation.value());
  }
  for (const RequestPath::Scheduled& released : at.path->released_handlers()) {
    schedule(released.at, EventKind::handler_done, server, released.ticket, at.incarnation.value());
  }
  at.path->clear_released();
}

// An answer goes back on the connection on which it was asked for, if the server still has that.
void Cluster::respond(Envelope response) {
  std::uint32_t index = last_opened(response.channel);
  while (index != Connection::kNoConnection) {
    const Connection& connection = connections_[index];
    if (connection.accepted && connection.muted && connection.under_way == response.correlation) break;
    index = connection.older;
  }
  if (index == Connection::kNoConnection) return;
  Connection& connection = connections_[index];
  const ProcessId server = connection.channel.server;
  if (response.throttle_ms > 0)
    connection.throttled_until = kernel_.now() + from_millis(response.throttle_ms);
  if (std::holds_alternative<NoOpResponse>(response.message)) return request_answered(index);
  response.correlation = connection.asked;
  const std::uint32_t ticket = new_message(std::move(response), connection, index);
  messages_[ticket].is_written = true;
  progress(observe::RequestStage::completed, messages_[ticket], false);
  begin_network_work(server, connection, ticket);
}

void Cluster::response_written(std::uint32_t ticket) {
  const Message& message = messages_[ticket];
  const std::uint32_t index = message.connection;
  if (connections_[index].generation != message.generation || !connections_[index].accepted)
    return free_message(ticket);
  progress(observe::RequestStage::sent, message, false);
  transmit(ticket);
  request_answered(index);
}

void Cluster::request_answered(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.throttled_until > kernel_.now()) {
    return schedule(connection.throttled_until, EventKind::throttle_ends, connection.channel.server, index,
                    connection.generation);
  }
  connection.muted = false;
  begin_reading(index);
}

void Cluster::throttle_ends(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || !connection.accepted) return;
  connection.muted = false;
  begin_reading(index);
}

void Cluster::progress(observe::RequestStage stage, const Message& message, bool with_envelope) {
  if (!message.tracked || observers_.empty()) return;
  const Envelope& envelope = message.envelope;
  tell(envelope.channel.server, observe::RequestProgress{stage, with_envelope ? &envelope : nullptr,
                                                         envelope.channel, envelope.correlation});
}

}  // namespace sim::cluster
