#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/chunked.h"
#include "cluster/connection.h"
#include "cluster/platform.h"
#include "net/network.h"
#include "net/retransmission.h"
#include "node/node.h"

// What lies between processes: connections with both of their ends, the messages on their way, and what is
// wrong with the wires at present.
//
// It delivers nothing by itself: what reaches a process is handed to the caller. Connections are named by an
// index and a generation, messages by a ticket, which is also what threads of a server know them by. Each has
// one timer of the kernel, which comes up where the message goes on.
namespace sim::cluster {

using Ticket = std::uint32_t;

// A message between its sending and its handling.
struct MessageInFlight {
  enum class Stage : std::uint8_t {
    none,
    to_server,
    in_socket,
    read,     // by a network thread
    queued,   // or with a thread that cannot go on
    handled,  // its handler takes time
    written,  // a response, by a network thread
    to_client,
    has_core,  // a response that has arrived, and its thread has waited for a core
  };

  Envelope envelope;
  std::int64_t bytes = 0;
  std::uint32_t connection = 0;
  std::uint32_t generation = 0;
  CorrelationId served_as = 0;  // a request's, for the server: connections of one channel do not share them
  Stage stage = Stage::none;
  bool tracked = false;  // its progress is reported
  Incarnation life;      // of the server that has it
  kernel::TimerHandle timer;
  std::uint64_t cause = 0;  // number of the event that set it
  Instant arrives{};        // of a request on its way
};

// Something that a process learns about a connection.
struct Heard {
  ProcessId process;
  node::Input input;
};

// Which messages do not leave their sender's socket.
struct HoldSpec {
  std::string message;  // Kafka's name of it: AlterPartitionRequest, FetchResponse, ...
  bool replies = false;
  std::optional<TopicPartition> partition{};  // those that name it; none: all
  std::int64_t count = -1;                    // the first so many; -1: all
  std::int64_t connections = -1;              // on the first so many connections; -1: on all
};

class Wires {
 public:
  Wires(const net::NetworkSpec& spec, const std::vector<net::MachinePlace>& machines, std::size_t processes,
        std::uint64_t seed)
      : network_(spec, machines, seed), opened_(processes) {}

  // ---- Connections (connections.cc)
  const Connection& connection(std::uint32_t index) const { return connections_[index]; }
  void answer_will_be_taken(std::uint32_t index, Instant at) { connections_[index].answer_taken = at; }
  // The last one that was opened on the channel, if an end of it is left.
  std::uint32_t last_opened(const Channel& channel) const {
    return opened_[static_cast<std::size_t>(channel.client.value())].find(channel.server, channel.lane);
  }
  bool is_of(std::uint32_t index, std::uint64_t generation) const {
    return connections_[index].generation == generation;
  }
  void connect(Platform& platform, const Channel& channel);
  void disconnect(Platform& platform, ProcessId by, const Channel& channel);
  // A SYN is there; true: accept() or refuse() it.
  bool connect_arrives(Platform& platform, std::uint32_t index, std::uint64_t generation);
  void accept(Platform& platform, std::uint32_t index, std::int32_t network_thread);
  void refuse(Platform& platform, std::uint32_t index);
  std::optional<Heard> connect_answered(Platform& platform, std::uint32_t index, std::uint64_t generation);
  void connect_again(Platform& platform, std::uint32_t index, std::uint64_t generation);
  std::optional<Heard> close_reaches_client(Platform& platform, std::uint32_t index,
                                            std::uint64_t generation);
  std::optional<Heard> close_reaches_server(Platform& platform, std::uint32_t index,
                                            std::uint64_t generation);
  std::optional<Heard> reset_reaches_server(Platform& platform, std::uint32_t index,
                                            std::uint64_t generation);
  // The process is gone; its operating system closes what it had open.
  void close_connections(Platform& platform, ProcessId of);
  // The machine is gone, and what it knew of connections with it. The other ends know nothing of that.
  void lose_connections(Platform& platform, net::Endpoint machine);
  // Breaks every connection between such machines; how many there were.
  std::int64_t reset_connections(Platform& platform, const net::Pairs& pairs);

  // ---- Messages (messages.cc)
  const MessageInFlight& message(Ticket ticket) const { return messages_[ticket]; }
  MessageInFlight& message(Ticket ticket) { return messages_[ticket]; }
  void free_message(Platform& platform, Ticket ticket);
  // Its timer comes up then.
  void arm(Platform& platform, Ticket ticket, Instant at);
  // A request onto its channel. kNoTicket: that is not open, or it cannot leave now; else it is on the wire
  // and is to be awaited.
  Ticket send_request(Platform& platform, Envelope&& envelope);
  void await_arrival(Platform& platform, Ticket ticket);
  enum class Arrival : std::uint8_t { nowhere, at_client, at_server };
  // At the server it lies in the socket, next_to_read() gives it out.
  Arrival message_arrives(Platform& platform, Ticket ticket);
  // The next request that the server begins to read, which mutes the connection.
  std::optional<Ticket> next_to_read(Platform& platform, std::uint32_t index);
  // The connection on which a response was asked for, if the server still has that.
  std::uint32_t asked_on(const Envelope& response) const;
  void throttle(std::uint32_t index, Instant until) { connections_[index].throttled_until = until; }
  Ticket new_response(Platform& platform, Envelope&& response, std::uint32_t index);
  // False: its connection is gone, and it too.
  bool response_written(Platform& platform, Ticket ticket);
  // True: the connection is muted no more; false: not until the throttle ends.
  bool request_answered(Platform& platform, std::uint32_t index);
  bool throttle_ends(std::uint32_t index, std::uint64_t generation);
  void tell_progress(const Platform& platform, observe::RequestStage stage, const MessageInFlight& message,
                     bool with_envelope) const;

  // ---- Flows, when something is wrong with the wires (flows.cc)
  void retransmit(Platform& platform, std::uint32_t index, std::uint64_t generation, bool to_server);

  // ---- What is wrong with them
  // So many reasons are there why not everything that is sent arrives; a machine without power is one.
  void trouble_began() { ++troubles_; }
  void trouble_ended() { --troubles_; }
  void reseed(std::string_view name) { network_.reseed(name); }
  net::RuleId cut(net::Pairs pairs) { return began(network_.interference().cut(std::move(pairs))); }
  net::RuleId delay(net::Pairs pairs, const net::DelaySpec& by, const Rng& rng) {
    return began(network_.interference().delay(std::move(pairs), by, rng));
  }
  net::RuleId lose(net::Pairs pairs, const net::LossSpec& how, const Rng& rng) {
    return began(network_.interference().lose(std::move(pairs), how, rng));
  }
  net::RuleId limit(net::Pairs out, net::Pairs in, std::int64_t bits_per_second) {
    return began(network_.interference().limit(std::move(out), std::move(in), bits_per_second));
  }
  std::int64_t touched(net::RuleId rule) const { return network_.interference().touched(rule); }
  void lift(net::RuleId rule) {
    network_.interference().lift(rule);
    trouble_ended();
  }
  // Messages of one kind do not leave the sender's socket, nor what follows them on their connection.
  void hold(FaultId fault, net::Pairs pairs, HoldSpec what);
  void release(Platform& platform, FaultId fault);
  std::int64_t held_by(FaultId fault) const;  // so many messages, so far

 private:
  struct HoldRule {
    FaultId fault;
    net::Pairs pairs;
    HoldSpec what;  // counts and connections: how many are left
    std::int64_t held = 0;
  };

  // ---- connections.cc
  std::uint32_t new_connection(const Channel& channel, Instant now);
  void free_if_gone(Platform& platform, std::uint32_t index);
  void send_syn(Platform& platform, std::uint32_t index);
  void send_syn_again(Platform& platform, std::uint32_t index, bool to_server);
  void answer_syn(Platform& platform, std::uint32_t index);
  void close_by_client(Platform& platform, std::uint32_t index);
  void close_by_server(Platform& platform, std::uint32_t index);
  std::optional<Heard> end_at_server(Platform& platform, std::uint32_t index, node::DisconnectReason reason);
  void forget_server_end(Platform& platform, Connection& connection);
  void reset_client(Platform& platform, std::uint32_t index);
  void reset_server(Platform& platform, std::uint32_t index);
  void reset_connection(Platform& platform, std::uint32_t index);

  // ---- messages.cc
  Ticket new_message(Platform& platform, Envelope&& envelope, std::uint32_t index);
  void leave(Platform& platform, Ticket ticket);
  bool put_on_wire(Platform& platform, Ticket ticket);
  Instant pass_wire(const Platform& platform, Ticket ticket);
  void put_on_wire_again(Platform& platform, Ticket ticket);

  // ---- flows.cc
  Flow& flow(std::uint32_t index, bool to_server) {
    return to_server ? connections_[index].to_server : connections_[index].to_client;
  }
  bool is_blocked(const Platform& platform, net::Endpoint from, net::Endpoint to) const;
  Duration signal_time(Platform& platform, ProcessId from, ProcessId to, Duration first_timeout);
  void send_end_of_stream(Platform& platform, std::uint32_t index, bool to_server);
  bool passes(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket);
  void hold_if_meant(Flow& flow, bool to_server, Ticket ticket, net::Endpoint from, net::Endpoint to);
  void stall(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket);
  void keep_unsent(Platform& platform, std::uint32_t index, bool to_server, Ticket ticket);
  static Duration first_retransmission(const Connection& connection) {
    return connection.round_trip + net::kFirstRetransmission;
  }
  void schedule_retransmission(Platform& platform, std::uint32_t index, bool to_server);
  void give_up(Platform& platform, std::uint32_t index, bool to_server);
  void send_unsent(Platform& platform, std::uint32_t index, bool to_server);
  void drop_unsent(Platform& platform, Flow& flow);

  net::RuleId began(net::RuleId rule) {
    trouble_began();
    return rule;
  }

  net::Network network_;
  std::vector<ConnectionTable> opened_;  // by ProcessId, as client
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_connections_;
  // Of rules, machines without power and flows with something unsent. With none of them, whatever is sent
  // arrives.
  std::int32_t troubles_ = 0;
  std::vector<HoldRule> holds_;
  Chunked<MessageInFlight, 64> messages_;  // by ticket
  std::vector<Ticket> free_messages_;
  std::uint32_t requests_served_ = 0;
};

}  // namespace sim::cluster
