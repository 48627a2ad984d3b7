#include <algorithm>
#include <utility>

#include "cluster/wires.h"
#include "net/retransmission.h"
#include "protocol/message_traits.h"

// A message's way over the wire, in the order of its connection, and through the server's socket. What
// threads of the server do with it is in serving.cc.
namespace sim::cluster {

using Stage = MessageInFlight::Stage;

Ticket Wires::new_message(Platform& platform, Envelope&& envelope, std::uint32_t index) {
  if (free_messages_.empty()) {
    const auto made = static_cast<Ticket>(messages_.size());
    free_messages_.push_back(made);
    MessageInFlight& message = messages_.push_back(MessageInFlight());
    message.timer = platform.kernel().create_timer(Event{EventKind::message, 0, made, 0, 0});
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

void Wires::free_message(Platform& platform, Ticket ticket) {
  MessageInFlight& message = messages_[ticket];
  message.envelope.message.clear();
  message.stage = Stage::none;
  platform.kernel().cancel(message.timer);
  free_messages_.push_back(ticket);
}

void Wires::arm(Platform& platform, Ticket ticket, Instant at) {
  MessageInFlight& message = messages_[ticket];
  message.cause = platform.event_number();
  platform.kernel().arm(message.timer, at);
}

Ticket Wires::send_request(Platform& platform, Envelope&& envelope) {
  const std::uint32_t index = last_opened(envelope.channel);
  if (index == Connection::kNoConnection) return kNoTicket;
  if (connections_[index].state != Connection::State::open) return kNoTicket;
  const Ticket ticket = new_message(platform, std::move(envelope), index);
  leave(platform, ticket);
  return put_on_wire(platform, ticket) ? ticket : kNoTicket;
}

void Wires::leave(Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  platform.fold(static_cast<std::uint64_t>(message.bytes) << 32 |
                static_cast<std::uint32_t>(message.envelope.correlation));
  if (platform.wants_messages())
    platform.tell(message.envelope.from(), observe::MessageSent{&message.envelope, message.bytes});
}

// False: it waits in the sender's socket. Else its time of arrival is known; its timer is not set yet.
bool Wires::put_on_wire(Platform& platform, Ticket ticket) {
  MessageInFlight& message = messages_[ticket];
  const bool to_server = !message.envelope.response;
  if (troubles_ != 0 && !passes(platform, message.connection, to_server, ticket)) return false;
  message.arrives = pass_wire(platform, ticket);
  return true;
}

// When it is there, if it leaves now.
Instant Wires::pass_wire(const Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  const net::Endpoint here = platform.machine_of(message.envelope.from());
  const net::Endpoint there = platform.machine_of(message.envelope.to());
  const Instant leaves = platform.now();
  Instant at = network_.arrival(here, there, message.bytes, leaves);
  if (troubles_ != 0) {
    const Duration first_timeout = first_retransmission(connections_[message.connection]);
    at += network_.interference().hindrance({here, there, message.bytes, leaves, first_timeout});
  }
  Instant& last = flow(message.connection, !message.envelope.response).last_arrival;
  last = std::max(last, at);
  return last;
}

void Wires::put_on_wire_again(Platform& platform, Ticket ticket) {
  if (put_on_wire(platform, ticket)) await_arrival(platform, ticket);
}

void Wires::await_arrival(Platform& platform, Ticket ticket) {
  MessageInFlight& message = messages_[ticket];
  message.stage = message.envelope.response ? Stage::to_client : Stage::to_server;
  if (!message.envelope.response) ++connections_[message.connection].requests_on_the_way;
  arm(platform, ticket, message.arrives);
}

Wires::Arrival Wires::message_arrives(Platform& platform, Ticket ticket) {
  MessageInFlight& message = messages_[ticket];
  const std::uint32_t index = message.connection;
  Connection& connection = connections_[index];
  const bool is_response = message.envelope.response;
  if (connection.generation != message.generation) {
    free_message(platform, ticket);
    return Arrival::nowhere;
  }
  if (!is_response) --connection.requests_on_the_way;
  // Its machine went off meanwhile: it will be sent again.
  if (troubles_ != 0 && !platform.has_power(message.envelope.to())) {
    stall(platform, index, !is_response, ticket);
    return Arrival::nowhere;
  }
  if (is_response) {
    if (connection.state == Connection::State::open) {
      if (platform.wants_messages())
        platform.tell(message.envelope.to(), observe::MessageDelivered{&message.envelope});
      return Arrival::at_client;
    }
    reset_server(platform, index);
    free_message(platform, ticket);
    return Arrival::nowhere;
  }
  if (!connection.accepted) {  // the server's end is gone; a machine that is up says so
    reset_client(platform, index);
    free_message(platform, ticket);
    return Arrival::nowhere;
  }
  if (platform.wants_messages())
    platform.tell(message.envelope.to(), observe::MessageDelivered{&message.envelope});
  tell_progress(platform, observe::RequestStage::received, message, true);
  message.stage = Stage::in_socket;
  connection.socket.push_back(ticket);
  return Arrival::at_server;
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
  // The server reads nothing more from it until the request is answered.
  MessageInFlight& request = messages_[ticket];
  request.served_as = static_cast<CorrelationId>(requests_served_++);
  connection.muted = true;
  connection.under_way = request.served_as;
  connection.asked = request.envelope.correlation;
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

Ticket Wires::new_response(Platform& platform, Envelope&& response, std::uint32_t index) {
  response.correlation = connections_[index].asked;
  const Ticket ticket = new_message(platform, std::move(response), index);
  tell_progress(platform, observe::RequestStage::completed, messages_[ticket], false);
  return ticket;
}

bool Wires::response_written(Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  const Connection& connection = connections_[message.connection];
  if (connection.generation != message.generation || !connection.accepted) {
    free_message(platform, ticket);
    return false;
  }
  tell_progress(platform, observe::RequestStage::sent, message, false);
  leave(platform, ticket);
  put_on_wire_again(platform, ticket);
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
