//go:build !debian

package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/coder/websocket"
)

type coderConn struct {
	*websocket.Conn
	answer http.Header
}

func dialCoder(mode websocket.CompressionMode) func(string) conn {
	return func(url string) conn {
		ctx, done := context.WithTimeout(context.Background(), deadline)
		defer done()
		ws, response, err := websocket.Dial(ctx, url+"/coder", &websocket.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		must(err == nil, "dialing: %v", err)
		ws.SetReadLimit(4 << 20)
		return &coderConn{ws, response.Header}
	}
}

func coderOffers() []offer {
	return []offer{
		{"coder with takeover", dialCoder(websocket.CompressionContextTakeover), []string{"permessage-deflate"}},
		{"coder without takeover", dialCoder(websocket.CompressionNoContextTakeover),
			[]string{"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}},
		{"coder without compression", dialCoder(websocket.CompressionDisabled), nil},
	}
}

func soon() context.Context {
	ctx, _ := context.WithTimeout(context.Background(), 2*deadline) //nolint:govet // the process is short
	return ctx
}

func messageType(isText bool) websocket.MessageType {
	if isText {
		return websocket.MessageText
	}
	return websocket.MessageBinary
}

func (c *coderConn) extension() string { return c.answer.Get("Sec-WebSocket-Extensions") }

func (c *coderConn) write(isText bool, data []byte) error {
	return c.Write(soon(), messageType(isText), data)
}

func (c *coderConn) writeFragments(isText bool, parts [][]byte) error {
	w, err := c.Writer(soon(), messageType(isText))
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err = w.Write(part); err != nil {
			return err
		}
	}
	return w.Close()
}

func (c *coderConn) read() (bool, []byte, error) {
	is, data, err := c.Read(soon())
	return is == websocket.MessageText, data, err
}

// The pong is seen only by a reader, so one waits for the message behind it.
func (c *coderConn) ping() error {
	answered := make(chan error, 1)
	go func() { answered <- c.Ping(soon()) }()
	type message struct {
		data []byte
		err  error
	}
	came := make(chan message, 1)
	go func() {
		_, data, err := c.read()
		came <- message{data, err}
	}()
	if err := <-answered; err != nil {
		return err
	}
	command(c, "behind the ping")
	got := <-came
	must(got.err == nil && string(got.data) == "behind the ping", "behind the ping came %q, %v", got.data, got.err)
	return nil
}

func (c *coderConn) closeCode() (int, string) {
	for {
		if _, _, err := c.Read(soon()); err != nil {
			var end websocket.CloseError
			must(errors.As(err, &end), "not closed but %v", err)
			return int(end.Code), end.Reason
		}
	}
}

// Close waits for the peer's close frame and fails when it says something else.
func (c *coderConn) close(code int, reason string) (int, error) {
	return code, c.Close(websocket.StatusCode(code), reason)
}
