#include <utility>

#include "base/check.h"
#include "cluster/cluster.h"

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
  std::uint32_t index = 0;
  Connection* connection = find_connection(envelope.channel, index);
  if (connection == nullptr) return;
  if (envelope.response) return respond(std::move(envelope), *connection, index);
  if (connection->state != Connection::State::open) return;
  transmit(new_message(std::move(envelope), *connection, index));
}

void Cluster::transmit(std::uint32_t ticket) {
  Message& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  const ProcessId from = message.envelope.from();
  const ProcessId to = message.envelope.to();
  Instant& last = message.envelope.response ? connection.last_arrival_at_client : connection.last_arrival_at_server;
  last = std::max(last, network_.arrival(slot(from).machine, slot(to).machine, message.bytes, kernel_.now()));
  kernel_.fingerprint().add(static_cast<std::uint64_t>(message.bytes) << 32 |
                            static_cast<std::uint32_t>(message.envelope.correlation));
  if (messages_wanted_) tell(from, observe::MessageSent{&message.envelope, message.bytes});
  schedule(last, EventKind::message_arrives, to, ticket, message.generation);
}

void Cluster::message_arrives(std::uint32_t ticket, ProcessId at) {
  Message& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  const bool same_connection = connection.generation == message.generation;
  if (message.envelope.response) {
    if (!same_connection || connection.state != Connection::State::open) return free_message(ticket);
    node::Received received{std::move(message.envelope)};
    if (messages_wanted_) tell(at, observe::MessageDelivered{&received.envelope});
    free_message(ticket);
    return step(at, std::move(received));
  }
  if (!same_connection) return free_message(ticket);
  if (!connection.accepted) {  // the server's end is gone; a machine that is up says so
    if (slot(at).powered) close_for_client(message.connection);
    return free_message(ticket);
  }
  if (messages_wanted_) tell(at, observe::MessageDelivered{&message.envelope});
  progress(observe::RequestStage::received, message, true);
  connection.socket.push_back(ticket);
  begin_reading(connection);
}

void Cluster::begin_reading(Connection& connection) {
  if (connection.muted || connection.socket.empty()) return;
  const std::uint32_t ticket = connection.socket.front();
  connection.socket.pop_front();
  connection.muted = true;
  connection.under_way = messages_[ticket].envelope.correlation;
  messages_[ticket].is_written = false;
  begin_network_work(connection.channel.server, connection, ticket);
}

void Cluster::begin_network_work(ProcessId server, const Connection& connection, std::uint32_t ticket) {
  Slot& at = slot(server);
  const auto scheduled =
      at.path->begin_network_work(ticket, connection.network_thread, messages_[ticket].bytes, kernel_.now());
  if (scheduled) schedule(scheduled->at, EventKind::network_work_done, server, ticket, at.incarnation.value());
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
  const Duration takes = at.path->handler_time(messages_[ticket].bytes);
  schedule(kernel_.now() + takes, EventKind::handler_done, server, ticket, at.incarnation.value());
}

void Cluster::handler_done(ProcessId server, std::uint32_t ticket) {
  node::Received received{std::move(messages_[ticket].envelope)};
  free_message(ticket);
  handling_at_ = server;
  handler_write_.reset();
  step(server, std::move(received));
  handling_at_ = kNoProcess;
  if (!handler_write_) io_thread_free(server);
}

void Cluster::io_thread_free(ProcessId server) {
  Slot& at = slot(server);
  if (const auto next = at.path->io_thread_free(kernel_.now())) begin_handling(server, *next);
  for (const RequestPath::Scheduled& released : at.path->released()) {
    schedule(released.at, EventKind::network_work_done, server, released.ticket, at.incarnation.value());
  }
  at.path->clear_released();
}

void Cluster::respond(Envelope response, Connection& connection, std::uint32_t index) {
  const bool is_awaited = connection.accepted && connection.muted && connection.under_way == response.correlation;
  if (!is_awaited) return;  // its connection is gone
  const ProcessId server = connection.channel.server;
  if (std::holds_alternative<NoOpResponse>(response.message)) return request_answered(connection);
  const std::uint32_t ticket = new_message(std::move(response), connection, index);
  messages_[ticket].is_written = true;
  progress(observe::RequestStage::completed, messages_[ticket], false);
  begin_network_work(server, connection, ticket);
}

void Cluster::response_written(std::uint32_t ticket) {
  const Message& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  if (connection.generation != message.generation || !connection.accepted) return free_message(ticket);
  progress(observe::RequestStage::sent, message, false);
  transmit(ticket);
  request_answered(connection);
}

void Cluster::request_answered(Connection& connection) {
  connection.muted = false;
  begin_reading(connection);
}

void Cluster::progress(observe::RequestStage stage, const Message& message, bool with_envelope) {
  if (!message.tracked || observers_.empty()) return;
  const Envelope& envelope = message.envelope;
  tell(envelope.channel.server, observe::RequestProgress{stage, with_envelope ? &envelope : nullptr, envelope.channel,
                                                         envelope.correlation});
}

}  // namespace sim::cluster
