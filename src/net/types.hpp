#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "net/clock.hpp"

/// The concrete types of one worker's loop. any_io_executor would double the price of a dispatch.
namespace wsproxy::net {

namespace asio = boost::asio;
using boost::system::error_code;

using IoContext = asio::io_context;
using Executor = IoContext::executor_type;
/// TCP and unix sockets alike.
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

}  // namespace wsproxy::net
