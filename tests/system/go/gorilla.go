package main

import (
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

type gorillaConn struct {
	*websocket.Conn
	answer http.Header
	pongs  int
}

func dialGorilla(compress bool) func(string) conn {
	return func(url string) conn {
		dialer := websocket.Dialer{HandshakeTimeout: deadline, EnableCompression: compress, WriteBufferSize: 4096}
		ws, response, err := dialer.Dial(url+"/gorilla", nil)
		must(err == nil, "dialing: %v", err)
		ws.EnableWriteCompression(compress)
		_ = ws.SetReadDeadline(time.Now().Add(2 * deadline))
		c := &gorillaConn{Conn: ws, answer: response.Header}
		ws.SetPongHandler(func(string) error { c.pongs++; return nil })
		return c
	}
}

func gorillaOffers() []offer {
	return []offer{
		{"gorilla", dialGorilla(true), []string{"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}},
		{"gorilla without compression", dialGorilla(false), nil},
	}
}

func kind(isText bool) int {
	if isText {
		return websocket.TextMessage
	}
	return websocket.BinaryMessage
}

func (c *gorillaConn) extension() string { return c.answer.Get("Sec-WebSocket-Extensions") }

func (c *gorillaConn) write(isText bool, data []byte) error { return c.WriteMessage(kind(isText), data) }

// The library makes a frame of what fills its write buffer.
func (c *gorillaConn) writeFragments(isText bool, parts [][]byte) error {
	w, err := c.NextWriter(kind(isText))
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

func (c *gorillaConn) read() (bool, []byte, error) {
	is, data, err := c.ReadMessage()
	return is == websocket.TextMessage, data, err
}

// A pong is seen only while reading: the echo behind the ping comes after it.
func (c *gorillaConn) ping() error {
	before := c.pongs
	if err := c.WriteControl(websocket.PingMessage, []byte("there?"), time.Now().Add(deadline)); err != nil {
		return err
	}
	echo(c, true, []byte("behind the ping"))
	must(c.pongs == before+1, "%d pongs", c.pongs-before)
	return nil
}

func (c *gorillaConn) closeCode() (int, string) {
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			end, is := err.(*websocket.CloseError)
			must(is, "not closed but %v", err)
			return end.Code, end.Text
		}
	}
}

func (c *gorillaConn) close(code int, reason string) (int, error) {
	err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(deadline))
	if err != nil {
		return 0, err
	}
	answer, _ := c.closeCode()
	return answer, nil
}
