#include <algorithm>
#include <utility>

#include "cluster/wires.h"
#include "net/retransmission.h"
#include "protocol/message_traits.h"

// A message's way over the wire, in the order of its connection, and through the server's socket. What
// threads of the server do with it is in serving.cc.
namespace sim::cluster {

Ticket Wires::new_message(Platform& platform, Envelope envelope, std::uint32_t index) {
  if (free_messages_.empty()) {
    free_messages_.push_back(static_cast<Ticket>(messages_.size()));
    messages_.emplace_back();
  }
  const Ticket ticket = free_messages_.back();
  free_messages_.pop_back();
  MessageInFlight& message = messages_[ticket];
  message.bytes = wire_size(envelope.message);
  message.tracked = platform.wants_messages() || reports_progress(envelope.message);
  message.envelope = std::move(envelope);
  message.connection = index;
  message.generation = connections_[index].generation;
  return ticket;
}

void Wires::free_message(Ticket ticket) {
  messages_[ticket].envelope.message = ApiVersionsRequest{};  // lets go of shared batches
  free_messages_.push_back(ticket);
}

void Wires::send_request(Platform& platform, Envelope envelope) {
  const std::uint32_t index = last_opened(envelope.channel);
  if (index == Connection::kNoConnection) return;
  if (connections_[index].state != Connection::State::open) return;
  transmit(platform, new_message(platform, std::move(envelope), index));
}

void Wires::transmit(Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  platform.fold(static_cast<std::uint64_t>(message.bytes) << 32 |
                static_cast<std::uint32_t>(message.envelope.correlation));
  if (platform.wants_messages())
    platform.tell(message.envelope.from(), observe::MessageSent{&message.envelope, message.bytes});
  put_on_wire(platform, ticket);
}

void Wires::put_on_wire(Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  const bool to_server = !message.envelope.response;
  if (troubles_ != 0 && !passes(platform, message.connection, to_server, ticket)) return;
  const ProcessId to = message.envelope.to();
  const net::Endpoint here = platform.machine_of(message.envelope.from());
  const net::Endpoint there = platform.machine_of(to);
  Instant at = network_.arrival(here, there, message.bytes, platform.now());
  if (troubles_ != 0) {
    const Duration first_timeout = first_retransmission(connections_[message.connection]);
    at += network_.interference().hindrance({here, there, message.bytes, platform.now(), first_timeout});
  }
  Instant& last = flow(message.connection, to_server).last_arrival;
  last = std::max(last, at);
  platform.schedule(last, EventKind::message_arrives, to, ticket, message.generation);
}

Wires::Arrival Wires::message_arrives(Platform& platform, Ticket ticket, ProcessId at) {
  const MessageInFlight& message = messages_[ticket];
  const std::uint32_t index = message.connection;
  Connection& connection = connections_[index];
  const bool is_response = message.envelope.response;
  if (connection.generation != message.generation) {
    free_message(ticket);
    return Arrival::nowhere;
  }
  // Its machine went off meanwhile: it will be sent again.
  if (troubles_ != 0 && !platform.has_power(at)) {
    stall(platform, index, !is_response, ticket);
    return Arrival::nowhere;
  }
  if (is_response) {
    if (connection.state == Connection::State::open) return Arrival::at_client;
    reset_server(platform, index);
    free_message(ticket);
    return Arrival::nowhere;
  }
  if (!connection.accepted) {  // the server's end is gone; a machine that is up says so
    reset_client(platform, index);
    free_message(ticket);
    return Arrival::nowhere;
  }
  if (platform.wants_messages()) platform.tell(at, observe::MessageDelivered{&message.envelope});
  tell_progress(platform, observe::RequestStage::received, message, true);
  connection.socket.push_back(ticket);
  return Arrival::at_server;
}

Envelope Wires::take_response(Platform& platform, Ticket ticket) {
  Envelope response = std::move(messages_[ticket].envelope);
  if (platform.wants_messages()) platform.tell(response.to(), observe::MessageDelivered{&response});
  free_message(ticket);
  return response;
}

std::optional<Ticket> Wires::next_to_read(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.muted) return {};
  if (connection.socket.empty()) {
    if (connection.end_of_stream) {
      platform.schedule(platform.now(), EventKind::close_reaches_server, connection.channel.server, index,
                        connection.generation);
    }
    return {};
  }
  const Ticket ticket = connection.socket.front();
  connection.socket.pop_front();
  MessageInFlight& message = messages_[ticket];
  message.is_written = false;
  message.served_as = static_cast<CorrelationId>(requests_served_++);
  connection.muted = true;
  connection.under_way = message.served_as;
  connection.asked = message.envelope.correlation;
  return ticket;
}

std::uint32_t Wires::asked_on(const Envelope& response) const {
  std::uint32_t index = last_opened(response.channel);
  while (index != Connection::kNoConnection) {
    const Connection& connection = connections_[index];
    if (connection.accepted && connection.muted && connection.under_way == response.correlation) break;
    index = connection.older;
  }
  return index;
}

Ticket Wires::new_response(Platform& platform, Envelope response, std::uint32_t index) {
  response.correlation = connections_[index].asked;
  const Ticket ticket = new_message(platform, std::move(response), index);
  messages_[ticket].is_written = true;
  tell_progress(platform, observe::RequestStage::completed, messages_[ticket], false);
  return ticket;
}

bool Wires::response_written(Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  const Connection& connection = connections_[message.connection];
  if (connection.generation != message.generation || !connection.accepted) {
    free_message(ticket);
    return false;
  }
  tell_progress(platform, observe::RequestStage::sent, message, false);
  transmit(platform, ticket);
  return true;
}

bool Wires::request_answered(Platform& platform, std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.muted = connection.throttled_until > platform.now();
  if (connection.muted) {
    platform.schedule(connection.throttled_until, EventKind::throttle_ends, connection.channel.server, index,
                      connection.generation);
  }
  return !connection.muted;
}

bool Wires::throttle_ends(std::uint32_t index, std::uint64_t generation) {
  Connection& connection = connections_[index];
  if (!is_of(index, generation) || !connection.accepted) return false;
  connection.muted = false;
  return true;
}

void Wires::tell_progress(const Platform& platform, observe::RequestStage stage,
                          const MessageInFlight& message, bool with_envelope) const {
  if (!message.tracked || !platform.is_watched()) return;
  const Envelope& envelope = message.envelope;
  platform.tell(envelope.channel.server, observe::RequestProgress{stage, with_envelope ? &envelope : nullptr,
                                                                  envelope.channel, envelope.correlation});
}

}  // namespace sim::cluster
