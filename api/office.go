package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

// ProposeOffice gives an authority its functions (administrator): another one confirms.
func (c *Client) ProposeOffice(ctx context.Context, call Call, authority string, in Office) error {
	return c.Do(ctx, http.MethodPost, "/api/v1/authorities/"+url.PathEscape(authority)+"/office", call, in, nil)
}

// ConfirmOffice confirms what another administrator proposed.
func (c *Client) ConfirmOffice(ctx context.Context, call Call, authority string) error {
	return c.Do(ctx, http.MethodPost, "/api/v1/authorities/"+url.PathEscape(authority)+"/office/confirm", call, struct{}{}, nil)
}

// SeatProvider records where a provider is established and who represents it
// (administrator).
func (c *Client) SeatProvider(ctx context.Context, call Call, provider string, in Seat) (Seat, error) {
	return post[Seat](ctx, c, "/api/v1/providers/"+url.PathEscape(provider)+"/seat", call, in)
}

// OrderRegister is the signed register of who may issue orders, as it is published; its
// root is learnt by another way (docs/formats/order.md).
func (c *Client) OrderRegister(ctx context.Context) ([]byte, error) {
	req, err := c.request(ctx, http.MethodGet, "/api/v1/order-register", nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = c.sendOnce(req, func(r io.Reader) error {
		_, err := b.ReadFrom(r)
		return err
	})
	return b.Bytes(), err
}
