// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <microhttpd.h>

// What Swift cannot import from microhttpd.h: varargs and macros that are casts.

/// Everything our server asks of a daemon, typed; the varargs call below spells it out.
struct mhd_setup {
    int listen_socket;
    unsigned int connection_limit;
    unsigned int idle_timeout_seconds;
    size_t connection_memory;
    size_t thread_stack;
    MHD_AccessHandlerCallback on_access;
    void *(*on_uri)(void *context, const char *uri, struct MHD_Connection *connection);
    MHD_RequestCompletedCallback on_completed;
    MHD_NotifyConnectionCallback on_connection;
    MHD_LogCallback on_log;
    void *context;
};

/// NULL when the daemon could not start; the listening socket then still belongs to the caller.
static inline struct MHD_Daemon *mhd_start(const struct mhd_setup *setup)
{
    // select and not poll: only with select does 0.9.75 leave connections over the limit in the kernel's queue (with
    // poll it accepts and resets them), and only with select does its last second before a timeout not spin. It needs
    // descriptors below FD_SETSIZE (1024); MHD refuses others and says so.
    return MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, setup->on_access, setup->context,
        MHD_OPTION_EXTERNAL_LOGGER, setup->on_log, setup->context, // first, so that start-up messages reach it
        MHD_OPTION_LISTEN_SOCKET, setup->listen_socket,
        MHD_OPTION_CONNECTION_LIMIT, setup->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, setup->idle_timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, setup->connection_memory,
        MHD_OPTION_THREAD_STACK_SIZE, setup->thread_stack,
        MHD_OPTION_URI_LOG_CALLBACK, setup->on_uri, setup->context,
        MHD_OPTION_NOTIFY_COMPLETED, setup->on_completed, setup->context,
        MHD_OPTION_NOTIFY_CONNECTION, setup->on_connection, setup->context,
        MHD_OPTION_END);
}

/// The connection's socket, or -1.
static inline int mhd_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

/// The peer's address, or NULL. Valid while the connection lives.
static inline const struct sockaddr *mhd_peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}

static const uint64_t mhd_size_unknown = MHD_SIZE_UNKNOWN;
static const ssize_t mhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t mhd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;
