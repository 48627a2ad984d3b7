#include <algorithm>
#include <utility>

#include "cluster/wires.h"
#include "net/retransmission.h"

// What is known before it happens: that a request will be read as soon as it is there, and when a response
// that is being written will be at the client. It takes no events of its own, but for what must be told at
// its own time to those who watch.
namespace sim::cluster {

// ---- Requests

bool Wires::can_be_planned(const Platform& platform, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  return troubles_ == 0 && connection.accepted && !is_muted(connection, platform.now()) &&
         connection.socket.empty() && !connection.end_of_stream && connection.requests_on_the_way == 0;
}

void Wires::plan(Platform& platform, Ticket ticket, Instant read, Instant handled) {
  MessageInFlight& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  mute_for(connection, message);
  message.stage = MessageInFlight::Stage::planned;
  connection.planned = ticket;
  note(platform, ticket, message.arrives, Note::What::arrives);
  read_later(platform, ticket, read, handled);
}

void Wires::read_later(Platform& platform, Ticket ticket, Instant read, Instant handled) {
  messages_[ticket].read = read;
  note(platform, ticket, read, Note::What::read);
  arm(platform, ticket, handled);
}

void Wires::cancel_plan(Platform& platform, Ticket ticket) {
  const std::uint32_t index = messages_[ticket].connection;
  const Instant arrives = messages_[ticket].arrives;
  connections_[index].muted = false;
  connections_[index].planned = kNoTicket;
  await_arrival(platform, ticket);
  // What was sent behind it, and arrives at the same instant, stays behind it.
  std::vector<Ticket> behind;
  for (Ticket other = 0; other < messages_.size(); ++other) {
    const MessageInFlight& message = messages_[other];
    const bool is_there_too = message.stage == MessageInFlight::Stage::to_server &&
                              message.connection == index && message.arrives == arrives;
    if (other != ticket && is_there_too) behind.push_back(other);
  }
  std::sort(behind.begin(), behind.end(), [this](Ticket a, Ticket b) {
    return static_cast<std::int32_t>(messages_[a].number - messages_[b].number) < 0;
  });
  for (const Ticket other : behind) arm(platform, other, arrives);
}

// ---- Responses

bool Wires::is_muted(Connection& connection, Instant now) {
  if (connection.muted && connection.muted_until <= now) {
    connection.muted = false;
    connection.muted_until = Instant::max();
    connection.writing_ahead = kNoTicket;
  }
  return connection.muted;
}

bool Wires::can_be_written_ahead(const Platform& platform, std::uint32_t index) {
  const Connection& connection = connections_[index];
  const auto [client, server, lane] = connection.channel;
  return troubles_ == 0 && connection.socket.empty() && !connection.end_of_stream &&
         connection.requests_on_the_way == 0 && connection.throttled_until <= platform.now() &&
         !network_.is_shared(platform.machine_of(server), platform.machine_of(client));
}

void Wires::write_ahead(Platform& platform, Ticket ticket, Instant leaves) {
  MessageInFlight& message = messages_[ticket];
  Connection& connection = connections_[message.connection];
  message.stage = MessageInFlight::Stage::written_ahead;
  message.leaves = leaves;
  connection.writing_ahead = ticket;
  connection.muted_until = leaves;
  platform.fold(static_cast<std::uint64_t>(message.bytes) << 32 |
                static_cast<std::uint32_t>(message.envelope.correlation));
  Outbox& outbox = outboxes_[static_cast<std::size_t>(sender_of(platform, ticket))];
  const std::size_t taken_back = take_back(outbox, leaves, platform);
  leave_ahead(platform, outbox, ticket);
  send_again(platform, outbox, taken_back);
  note(platform, ticket, leaves, Note::What::leaves);
}

void Wires::leave_ahead(Platform& platform, Outbox& outbox, Ticket ticket) {
  const MessageInFlight& message = messages_[ticket];
  const net::Endpoint here = sender_of(platform, ticket);
  const net::Endpoint there = platform.machine_of(message.envelope.to());
  outbox.push_back(Ahead{message.leaves, ticket, network_.mark(here, there),
                         connections_[message.connection].to_client.last_arrival});
  arm(platform, ticket, pass_wire(platform, ticket, message.leaves));
}

// When it is there.
Instant Wires::pass_wire(const Platform& platform, Ticket ticket, Instant leaves) {
  const MessageInFlight& message = messages_[ticket];
  const net::Endpoint here = sender_of(platform, ticket);
  const net::Endpoint there = platform.machine_of(message.envelope.to());
  Instant at = network_.arrival(here, there, message.bytes, leaves);
  if (troubles_ != 0) {
    const Duration first_timeout = first_retransmission(connections_[message.connection]);
    at += network_.interference().hindrance({here, there, message.bytes, leaves, first_timeout});
  }
  Instant& last = flow(message.connection, !message.envelope.response).last_arrival;
  last = std::max(last, at);
  return last;
}

// What leaves after `after` has not left; so many. What has left by now stays.
std::size_t Wires::take_back(Outbox& outbox, Instant after, const Platform& platform) {
  if (outbox.empty()) return 0;
  std::size_t left = 0;
  while (left < outbox.size() && outbox[left].leaves <= platform.now()) ++left;
  outbox.erase(outbox.begin(), outbox.begin() + static_cast<std::ptrdiff_t>(left));
  std::size_t taken_back = 0;
  while (!outbox.empty() && outbox.back().leaves > after) {
    const Ahead& last = outbox.back();
    const MessageInFlight& message = messages_[last.ticket];
    network_.take_back(sender_of(platform, last.ticket), platform.machine_of(message.envelope.to()),
                       last.before);
    connections_[message.connection].to_client.last_arrival = last.last_arrival_before;
    taken_back_.push_back(last);
    outbox.pop_back();
    ++taken_back;
  }
  return taken_back;
}

void Wires::send_again(Platform& platform, Outbox& outbox, std::size_t taken_back) {
  for (; taken_back > 0; --taken_back) {
    const Ticket ticket = taken_back_.back().ticket;
    taken_back_.pop_back();
    leave_ahead(platform, outbox, ticket);
  }
}

// REQUIRES: it was written ahead, and has not left
void Wires::write_in_time(Platform& platform, Ticket ticket) {
  MessageInFlight& message = messages_[ticket];
  Outbox& outbox = outboxes_[static_cast<std::size_t>(sender_of(platform, ticket))];
  std::size_t taken_back = take_back(outbox, platform.now(), platform);
  const auto is_it = [ticket](const Ahead& one) { return one.ticket == ticket; };
  taken_back -= std::erase_if(taken_back_, is_it);
  send_again(platform, outbox, taken_back);
  Connection& connection = connections_[message.connection];
  connection.writing_ahead = kNoTicket;
  connection.muted_until = Instant::max();
  message.stage = MessageInFlight::Stage::written;
  arm(platform, ticket, message.leaves);
}

void Wires::write_in_time(Platform& platform, ProcessId server) {
  const Outbox& outbox = outboxes_[static_cast<std::size_t>(platform.machine_of(server))];
  const auto is_to_leave = [&](const Ahead& one) {
    return one.leaves > platform.now() && messages_[one.ticket].envelope.from() == server;
  };
  for (;;) {
    const auto last = std::find_if(outbox.rbegin(), outbox.rend(), is_to_leave);
    if (last == outbox.rend()) return;
    write_in_time(platform, last->ticket);
  }
}

// ---- Notes

void Wires::note(const Platform& platform, Ticket ticket, Instant at, Note::What what) {
  const MessageInFlight& message = messages_[ticket];
  if (!message.tracked || !platform.is_watched()) return;
  notes_.push_back(Note{at, numbers_given_++, ticket, message.number, what});
  std::push_heap(notes_.begin(), notes_.end());
}

void Wires::tell_first_note(const Platform& platform) {
  std::pop_heap(notes_.begin(), notes_.end());
  const Note note = notes_.back();
  notes_.pop_back();
  const MessageInFlight& message = messages_[note.ticket];
  if (message.number != note.number) return;
  const Envelope& envelope = message.envelope;
  const auto progress = [&](observe::RequestStage stage, const Envelope* request) {
    platform.tell_at(note.at, envelope.channel.server,
                     observe::RequestProgress{stage, request, envelope.channel, envelope.correlation});
  };
  const bool planned = message.stage == MessageInFlight::Stage::planned;
  switch (note.what) {
    case Note::What::arrives:
      if (!planned || message.arrives != note.at) return;
      if (platform.wants_messages())
        platform.tell_at(note.at, envelope.to(), observe::MessageDelivered{&envelope});
      return progress(observe::RequestStage::received, &envelope);
    case Note::What::read:
      if (!planned || message.read != note.at) return;
      progress(observe::RequestStage::queued, &envelope);
      return progress(observe::RequestStage::dequeued, &envelope);
    case Note::What::leaves:
      if (message.stage != MessageInFlight::Stage::written_ahead || message.leaves != note.at) return;
      progress(observe::RequestStage::sent, nullptr);
      if (platform.wants_messages())
        platform.tell_at(note.at, envelope.from(), observe::MessageSent{&envelope, message.bytes});
  }
}

}  // namespace sim::cluster
